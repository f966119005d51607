import SearchOutlined from '@mui/icons-material/SearchOutlined';
import { Button, IconButton, ListSubheader, MenuItem, Select, Typography, useMediaQuery, type Theme } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { AppBar, Logout, TitlePortal, useGetIdentity, UserMenu, useUserMenu, useLocaleState } from 'react-admin';
import { Link, useNavigate } from 'react-router-dom';
import { listApps, type AppSummary } from '../discovery.ts';
import { LOCALES, useLocale } from '../i18n/locale.ts';
import { useWords } from '../i18n/words.ts';
import { setAppearance, useAppearance, type Appearance } from './appearance.ts';
import { useDiscoveryIfAny } from './discovery-context.ts';
import { CommandPalette } from './CommandPalette.tsx';
import { LiveDot } from './LiveDot.tsx';
import { SHELL } from './words.ts';

export function Bar(): ReactElement {
  return (
    <AppBar userMenu={<AccountMenu />} toolbar={<CommandSearch />}>
      <TitlePortal component="h1" />
      <LiveDot />
      <AppSwitch />
    </AppBar>
  );
}

function CommandSearch(): ReactElement {
  const t = useWords(SHELL);
  const [isOpen, setOpen] = useState(false);
  const isNarrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  return (
    <>
      {isNarrow ? (
        <IconButton color="inherit" aria-label={t('search')} onClick={() => setOpen(true)}>
          <SearchOutlined />
        </IconButton>
      ) : (
        <Button
          color="inherit"
          size="small"
          startIcon={<SearchOutlined />}
          onClick={() => setOpen(true)}
          aria-keyshortcuts="Control+K"
          sx={{ border: 1, borderColor: 'rgba(255,255,255,.3)', px: 1.5, textTransform: 'none' }}
        >
          {t('search')}
          <Typography component="kbd" variant="caption" aria-hidden sx={{ ml: 2, opacity: 0.8, fontFamily: 'inherit' }}>
            Ctrl K
          </Typography>
        </Button>
      )}
      <CommandPalette isOpen={isOpen} onOpen={() => setOpen(true)} onClose={() => setOpen(false)} />
    </>
  );
}

/** Its accessible name holds the text it shows, so that one who speaks the name reaches it. */
function AccountMenu(): ReactElement {
  const t = useWords(SHELL);
  const { identity } = useGetIdentity();
  return (
    <UserMenu label={t('account', { name: identity?.fullName ?? '' })}>
      <AccountLink />
      <AppearanceChoice />
      <LanguageChoice />
      <Logout />
    </UserMenu>
  );
}

function AccountLink(): ReactElement {
  const t = useWords(SHELL);
  const menu = useUserMenu();
  const app = useDiscoveryIfAny()?.app.name;
  return (
    <MenuItem component={Link} to={app === undefined ? '/platform/account' : `/t/${app}/_account`} onClick={() => menu?.onClose()}>
      {t('your_account')}
    </MenuItem>
  );
}

const APPEARANCES: readonly Appearance[] = ['auto', 'light', 'dark'];

function AppearanceChoice(): ReactElement {
  const t = useWords(SHELL);
  const chosen = useAppearance();
  const menu = useUserMenu();
  return (
    <>
      <ListSubheader role="presentation" sx={{ lineHeight: '32px' }}>
        {t('theme')}
      </ListSubheader>
      {APPEARANCES.map((appearance) => (
        <MenuItem
          key={appearance}
          role="menuitemradio"
          aria-checked={appearance === chosen}
          selected={appearance === chosen}
          onClick={() => (setAppearance(appearance), menu?.onClose())}
        >
          {t(appearance)}
        </MenuItem>
      ))}
    </>
  );
}

function LanguageChoice(): ReactElement {
  const t = useWords(SHELL);
  const chosen = useLocale();
  const [, setLocale] = useLocaleState();
  const menu = useUserMenu();
  return (
    <>
      <ListSubheader role="presentation" sx={{ lineHeight: '32px' }}>
        {t('language')}
      </ListSubheader>
      {Object.entries(LOCALES).map(([locale, name]) => (
        <MenuItem
          key={locale}
          lang={locale}
          role="menuitemradio"
          aria-checked={locale === chosen}
          selected={locale === chosen}
          onClick={() => (setLocale(locale), menu?.onClose())}
        >
          {name}
        </MenuItem>
      ))}
    </>
  );
}

/** Which app one works in. Switching leaves nothing behind: the pages and their cache are made anew. */
function AppSwitch(): ReactElement | null {
  const t = useWords(SHELL);
  const discovery = useDiscoveryIfAny();
  const navigate = useNavigate();
  const [apps, setApps] = useState<readonly AppSummary[]>([]);
  useEffect(() => {
    let isCurrent = true;
    void listApps().then((found) => (isCurrent ? setApps(found ?? []) : undefined));
    return () => {
      isCurrent = false;
    };
  }, []);
  if (discovery === undefined) return null;
  if (apps.length < 2) {
    return (
      <Typography noWrap sx={{ mx: 2, display: { xs: 'none', md: 'block' } }}>
        {discovery.app.display_name}
      </Typography>
    );
  }
  return (
    <Select
      size="small"
      variant="outlined"
      value={discovery.app.name}
      slotProps={{ input: { 'aria-label': t('app') } }}
      sx={{ color: 'inherit', mx: 1, maxWidth: { xs: 96, sm: 220 }, '& .MuiSelect-icon': { color: 'inherit' } }}
      onChange={(event) => void navigate(`/t/${event.target.value}`)}
    >
      {apps.map((app) => (
        <MenuItem key={app.name} value={app.name}>
          {app.display_name}
        </MenuItem>
      ))}
    </Select>
  );
}
