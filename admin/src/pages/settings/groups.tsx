import { Box } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { Section } from '../../ui/Section.tsx';
import { TextsInput, tidied } from '../../ui/TextsInput.tsx';
import { ChoiceInput, NumberInput, TextInput, Toggle } from './inputs.tsx';
import { withSome, type Auth, type GroupProps, type Limits, type Migrations, type Settings } from './settings.ts';
import { SETTINGS } from './words.ts';

function Fields({ children }: { readonly children: ReactNode }): ReactElement {
  return <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', md: '1fr 1fr' }, alignItems: 'start' }}>{children}</Box>;
}

export function ApiSettings({ settings, usual, onChange }: GroupProps): ReactElement {
  const t = useWords(SETTINGS);
  const set = (changed: Partial<{ [K in keyof Settings]: Settings[K] | undefined }>): void => onChange(withSome(settings, changed));
  const limits: Limits = settings.limits?.requests_per_minute ?? {};
  const limit = (name: 'app' | 'user' | 'key'): ReactElement => (
    <NumberInput
      label={t(`limit_${name}`)}
      value={limits[name]}
      onChange={(given) => set({ limits: { requests_per_minute: withSome(limits, { [name]: given }) } })}
    />
  );
  return (
    <>
      <Section title={t('api')}>
        <Fields>
          <TextsInput
            label={t('origins')}
            helperText={t('origins_help')}
            value={settings.origins ?? []}
            onChange={(typed) => {
              const origins = tidied(typed);
              set({ origins: origins.length === 0 ? undefined : origins });
            }}
          />
          <ChoiceInput
            label={t('exact_numbers')}
            value={settings.exact_numbers ?? 'string'}
            onChange={(given) => set({ exact_numbers: given })}
            options={[
              ['string', t('exact_string')],
              ['number', t('exact_number')],
            ]}
          />
          <NumberInput
            label={t('max_per_page')}
            usual={usual('max_per_page')}
            value={settings.max_per_page}
            onChange={(given) => set({ max_per_page: given })}
          />
          <NumberInput
            label={t('starts_per_second')}
            usual={usual('starts_per_second')}
            value={settings.starts_per_second}
            onChange={(given) => set({ starts_per_second: given })}
          />
        </Fields>
      </Section>
      <Section title={t('limits')} help={t('limits_help')}>
        <Fields>
          {limit('app')}
          {limit('user')}
          {limit('key')}
        </Fields>
      </Section>
    </>
  );
}

export function AccountSettings({ settings, usual, onChange }: GroupProps): ReactElement {
  const t = useWords(SETTINGS);
  const auth: Auth = settings.auth ?? {};
  const set = (changed: Partial<{ [K in keyof Auth]: Auth[K] | undefined }>): void =>
    onChange({ ...settings, auth: withSome(auth, changed) });
  const page = (name: 'invite_url' | 'reset_url' | 'verify_url'): ReactElement => (
    <TextInput
      label={t(name)}
      help={t('url_help')}
      value={auth[name] ?? ''}
      onChange={(given) => set({ [name]: given === '' ? undefined : given })}
    />
  );
  return (
    <Section title={t('accounts')}>
      <Fields>
        <Toggle label={t('public_signup')} value={auth.public_signup ?? false} onChange={(isOn) => set({ public_signup: isOn })} />
        <Toggle label={t('verify_email')} value={auth.verify_email ?? false} onChange={(isOn) => set({ verify_email: isOn })} />
        <RolesInput label={t('default_roles')} value={auth.default_roles ?? []} onChange={(roles) => set({ default_roles: [...roles] })} />
        <RolesInput
          label={t('require_totp_for')}
          helperText={t('require_totp_help')}
          value={auth.require_totp_for ?? []}
          onChange={(roles) => set({ require_totp_for: [...roles] })}
          besides={['admin']}
        />
        <NumberInput
          label={t('password_min_length')}
          usual={usual('auth', 'password_min_length')}
          value={auth.password_min_length}
          onChange={(given) => set({ password_min_length: given })}
        />
        <ChoiceInput
          label={t('algorithm')}
          value={auth.algorithm ?? 'ES256'}
          onChange={(given) => set({ algorithm: given })}
          options={[
            ['ES256', t('es256')],
            ['HS256', t('hs256')],
          ]}
        />
        {page('invite_url')}
        {page('reset_url')}
        {page('verify_url')}
      </Fields>
    </Section>
  );
}

export function MigrationSettings({ settings, usual, onChange }: GroupProps): ReactElement {
  const t = useWords(SETTINGS);
  const migrations: Migrations = settings.migrations ?? {};
  const set = (changed: Partial<{ [K in keyof Migrations]: Migrations[K] | undefined }>): void =>
    onChange({ ...settings, migrations: withSome(migrations, changed) });
  return (
    <Section title={t('migrations')}>
      <Fields>
        <ChoiceInput
          label={t('approval')}
          value={migrations.approval ?? 'never'}
          onChange={(given) => set({ approval: given })}
          options={[
            ['never', t('never')],
            ['breaking', t('breaking')],
            ['always', t('always')],
          ]}
        />
        <Toggle label={t('four_eyes')} value={migrations.four_eyes ?? false} onChange={(isOn) => set({ four_eyes: isOn })} />
        {(['grace', 'retention'] as const).map((name) => (
          <TextInput
            key={name}
            label={t(name)}
            help={t('duration_help')}
            usual={usual('migrations', name)}
            value={migrations[name] ?? ''}
            onChange={(given) => set({ [name]: given === '' ? undefined : given })}
          />
        ))}
      </Fields>
    </Section>
  );
}

export function ListSettings({ settings, onChange }: GroupProps): ReactElement {
  const t = useWords(SETTINGS);
  const share = (roles: readonly string[]): void =>
    onChange(withSome(settings, { lists: roles.length === 0 ? undefined : { shared_by: [...roles] } }));
  return (
    <Section title={t('lists')}>
      <RolesInput label={t('shared_by')} value={settings.lists?.shared_by ?? []} onChange={share} />
    </Section>
  );
}

export function FunctionSettings({ settings, onChange }: GroupProps): ReactElement {
  const t = useWords(SETTINGS);
  const domains = settings.allowed_domains;
  const list = (hosts: readonly string[] | undefined): void =>
    onChange(withSome(settings, { allowed_domains: hosts === undefined ? undefined : [...hosts] }));
  return (
    <Section title={t('functions')}>
      <Fields>
        <Toggle
          label={t('scripts')}
          help={t('scripts_help')}
          value={settings.scripts ?? false}
          onChange={(isOn) => onChange({ ...settings, scripts: isOn })}
        />
        <Toggle label={t('only_domains')} value={domains !== undefined} onChange={(isOn) => list(isOn ? [] : undefined)} />
        {domains === undefined ? null : (
          <TextsInput
            label={t('allowed_domains')}
            helperText={t('domains_help')}
            value={domains}
            onChange={(typed) => list(tidied(typed))}
          />
        )}
      </Fields>
    </Section>
  );
}
