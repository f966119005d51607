/** One's own account, in whichever realm one signed in: profile, password, second factor, sessions, keys, and how the pages look. */
import { Alert, MenuItem, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useLocaleState } from 'react-admin';
import { ownAuthPath } from '../../accounts/account.ts';
import { Keys } from '../../accounts/Keys.tsx';
import { Sessions } from '../../accounts/Sessions.tsx';
import { useRead } from '../../api/use-api.ts';
import { LOCALES } from '../../i18n/locale.ts';
import { useWords } from '../../i18n/words.ts';
import { rememberedScope } from '../../session.ts';
import { setAppearance, useAppearance, type Appearance } from '../../shell/appearance.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { Links } from './Links.tsx';
import { PasswordForm } from './PasswordForm.tsx';
import { OwnFactor } from './OwnFactor.tsx';
import { ACCOUNT } from './words.ts';

interface Me {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly must_change?: boolean;
}

export default function Account(): ReactElement {
  const t = useWords(ACCOUNT);
  const auth = ownAuthPath();
  const read = useRead<{ data: Me }>(`${auth}/me`);
  const me = read.data?.data;
  return (
    <Page title={t('title')} width="form" description={t(rememberedScope().kind === 'platform' ? 'of_platform' : 'of_app')}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {me === undefined ? <Loading lines={8} /> : null}
      {me === undefined ? null : (
        <Stack spacing={2}>
          <Profile me={me} />
          <Section title={t('password')} help={t('password_help')}>
            {me.must_change === true ? (
              <Alert severity="warning" sx={{ mb: 2 }}>
                {t('must_change')}
              </Alert>
            ) : null}
            <PasswordForm path={`${auth}/password`} email={me.email} />
          </Section>
          <OwnFactor path={`${auth}/totp`} />
          <Sessions path={`${auth}/sessions`} isOwn />
          <Links path={`${auth}/oidc/links`} />
          <Section title={t('keys')} help={t('keys_help')}>
            <Keys path={`${auth}/api-keys`} />
          </Section>
          <Looks />
        </Stack>
      )}
    </Page>
  );
}

function Profile({ me }: { readonly me: Me }): ReactElement {
  const t = useWords(ACCOUNT);
  return (
    <Section title={t('profile')}>
      <Typography>
        {t('email')}: <strong>{me.email}</strong>
      </Typography>
      <Typography>
        {t('roles')}: {me.roles.length === 0 ? t('no_roles') : me.roles.join(', ')}
      </Typography>
    </Section>
  );
}

const APPEARANCES: readonly Appearance[] = ['auto', 'light', 'dark'];

function Looks(): ReactElement {
  const t = useWords(ACCOUNT);
  const appearance = useAppearance();
  const [locale, setLocale] = useLocaleState();
  return (
    <Section title={t('looks')} help={t('looks_help')}>
      <Stack direction={{ xs: 'column', sm: 'row' }} spacing={2}>
        <TextField
          select
          size="small"
          label={t('appearance')}
          value={appearance}
          onChange={(event) => setAppearance(event.target.value as Appearance)}
          sx={{ minWidth: 200 }}
        >
          {APPEARANCES.map((one) => (
            <MenuItem key={one} value={one}>
              {t(one)}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          select
          size="small"
          label={t('language')}
          value={locale}
          onChange={(event) => setLocale(event.target.value)}
          sx={{ minWidth: 200 }}
        >
          {Object.entries(LOCALES).map(([name, label]) => (
            <MenuItem key={name} value={name} lang={name}>
              {label}
            </MenuItem>
          ))}
        </TextField>
      </Stack>
    </Section>
  );
}
