/** What stands around every page: the bar with title, search, app and account, and the menu made from the list of pages. */
import DnsOutlined from '@mui/icons-material/DnsOutlined';
import HomeOutlined from '@mui/icons-material/HomeOutlined';
import TableRowsOutlined from '@mui/icons-material/TableRowsOutlined';
import { Box, ListSubheader, TextField } from '@mui/material';
import { Suspense, useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { Layout as AdminLayout, Menu, useSidebarState } from 'react-admin';
import { useLocation } from 'react-router-dom';
import { useLocale } from '../i18n/locale.ts';
import { useWords } from '../i18n/words.ts';
import { rememberedScope } from '../session.ts';
import { Loading } from '../ui/Page.tsx';
import { Bar } from './Bar.tsx';
import { useDiscoveryIfAny } from './discovery-context.ts';
import { LiveProvider } from './Live.tsx';
import { pagesFor, pathOf, type PageEntry, type Section } from './pages.ts';
import { PLATFORM_PAGES } from './platform-pages.ts';
import { SHELL } from './words.ts';

export function Layout({ children }: { readonly children: ReactNode }): ReactElement {
  useDocumentTitle();
  return (
    <LiveProvider>
      <AdminLayout appBar={Bar} menu={SideMenu} sx={{ minWidth: 0, '& .RaLayout-content': { minWidth: 0 } }}>
        <Suspense fallback={<Loading lines={8} />}>{children}</Suspense>
      </AdminLayout>
    </LiveProvider>
  );
}

/** The page's heading is the title of the window too, so that tabs and histories tell pages apart. */
function useDocumentTitle(): void {
  const { pathname } = useLocation();
  useEffect(() => {
    const heading = document.querySelector('h1');
    if (heading === null) return;
    const follow = (): void => {
      const title = heading.textContent.trim();
      document.title = title === '' ? 'Durabase' : `${title} · Durabase`;
    };
    follow();
    const observer = new MutationObserver(follow);
    observer.observe(heading, { childList: true, characterData: true, subtree: true });
    return () => observer.disconnect();
  }, [pathname]);
}

function SideMenu(): ReactElement {
  const discovery = useDiscoveryIfAny();
  return <Menu>{discovery === undefined ? <PlatformEntries /> : <AppEntries />}</Menu>;
}

function AppEntries(): ReactElement | null {
  const t = useWords(SHELL);
  const discovery = useDiscoveryIfAny();
  if (discovery === undefined) return null;
  const base = `/t/${discovery.app.name}`;
  const pages = pagesFor(discovery).filter((page) => page.isHidden !== true);
  const group = (section: Section): ReactElement | null => {
    const entries = pages.filter((page) => page.section === section);
    return entries.length === 0 ? null : (
      <Group label={t(section)}>
        {entries.map((page) => (
          <Entry key={page.path} page={page} to={`${base}/${pathOf(page)}`} />
        ))}
      </Group>
    );
  };
  return (
    <>
      <Menu.Item to={base} primaryText={t('home')} leftIcon={<HomeOutlined />} />
      {group('work')}
      <Entities base={base} />
      {group('build')}
      {group('operate')}
      {group('settings')}
      {rememberedScope().kind === 'platform' ? (
        <Group label={t('platform')}>
          <Menu.Item to="/platform/apps" primaryText={t('all_apps')} leftIcon={<DnsOutlined />} />
        </Group>
      ) : null}
    </>
  );
}

const MANY_ENTITIES = 12;

function Entities({ base }: { readonly base: string }): ReactElement | null {
  const t = useWords(SHELL);
  const discovery = useDiscoveryIfAny();
  const [isOpen] = useSidebarState();
  const [typed, setTyped] = useState('');
  const readable = (discovery?.entities ?? []).filter((entity) => entity.permissions.read);
  if (readable.length === 0) return null;
  const shown = readable.filter((entity) => `${entity.label} ${entity.name}`.toLowerCase().includes(typed.trim().toLowerCase()));
  return (
    <Group label={t('data')}>
      {readable.length > MANY_ENTITIES && isOpen ? (
        // A menu has items only; and its keys (letters jump to items) are not for what is typed here.
        <Box component="li" role="menuitem" sx={{ px: 2, py: 0.5 }} onKeyDown={(event) => event.stopPropagation()}>
          <TextField
            size="small"
            fullWidth
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            slotProps={{ htmlInput: { 'aria-label': t('find_entity'), placeholder: t('find_entity') } }}
          />
        </Box>
      ) : null}
      {shown.map((entity) => (
        <Menu.Item key={entity.name} to={`${base}/${entity.name}`} primaryText={entity.label} leftIcon={<TableRowsOutlined />} />
      ))}
    </Group>
  );
}

function PlatformEntries(): ReactElement {
  const locale = useLocale();
  return (
    <>
      {PLATFORM_PAGES.map((page) => (
        <Menu.Item key={page.path} to={`/platform/${pathOf(page)}`} primaryText={page.label[locale]} leftIcon={<page.icon />} />
      ))}
    </>
  );
}

function Entry({ page, to }: { readonly page: PageEntry; readonly to: string }): ReactElement {
  const locale = useLocale();
  return <Menu.Item to={to} primaryText={page.label[locale]} leftIcon={<page.icon />} />;
}

function Group({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactElement {
  const [isOpen] = useSidebarState();
  return (
    <li role="none">
      {isOpen ? (
        <ListSubheader component="div" aria-hidden sx={{ lineHeight: '32px', background: 'transparent' }}>
          {label}
        </ListSubheader>
      ) : null}
      <ul role="group" aria-label={label} style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        {children}
      </ul>
    </li>
  );
}
