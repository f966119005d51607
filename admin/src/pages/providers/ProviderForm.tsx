import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Button, FormControlLabel, Stack, Switch, TextField } from '@mui/material';
import { useState, type FormEvent, type ReactElement } from 'react';
import { useNotify } from 'react-admin';
import { Link as RouterLink, useNavigate } from 'react-router-dom';
import { appPath, useSend } from '../../api/use-api.ts';
import { errorAt } from '../../definitions/definitions.ts';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Confirm } from '../../ui/Confirm.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { TextsInput, tidied } from '../../ui/TextsInput.tsx';
import { IssuerTest } from './IssuerTest.tsx';
import { bodyOf, draftOf, type Provider, type ProviderDraft } from './provider.ts';
import { PROVIDERS } from './words.ts';

interface ProviderFormProps {
  readonly stored: Provider | undefined;
  readonly callback: string;
}

export function ProviderForm({ stored, callback }: ProviderFormProps): ReactElement {
  const t = useWords(PROVIDERS);
  const { app } = useDiscovery();
  const send = useSend();
  const notify = useNotify();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(draftOf(stored));
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const path = `${appPath(app.name)}/_admin/auth-providers`;
  const list = `/t/${app.name}/_providers`;
  const save = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const body = bodyOf(draft, stored === undefined);
    (stored === undefined ? send('POST', path, body) : send('PATCH', `${path}/${stored.name}`, body))
      .then(() => (notify(t('saved'), { type: 'success' }), navigate(list)), setError)
      .finally(() => setBusy(false));
  };
  const back = (
    <Button component={RouterLink} to={list} startIcon={<ArrowBackOutlined />}>
      {t('all')}
    </Button>
  );
  return (
    <Page title={stored === undefined ? t('new') : (stored.display_name ?? stored.name)} width="form" actions={back}>
      <Stack spacing={2}>
        <Section title={t('at_provider')} help={t('at_provider_help')}>
          <Code text={callback.replace('{name}', draft.name === '' ? '…' : draft.name)} label={t('redirect')} />
        </Section>
        <Section title={t('title')}>
          <Problem error={error} />
          <Stack spacing={2} component="form" noValidate aria-label={t('title')} onSubmit={save}>
            <Fields draft={draft} onChange={setDraft} stored={stored} error={error} path={path} />
            <Stack direction="row" spacing={1}>
              <Button type="submit" variant="contained" disabled={isBusy}>
                {t(stored === undefined ? 'add' : 'save')}
              </Button>
              <Button component={RouterLink} to={list}>
                {t('cancel')}
              </Button>
              {stored === undefined ? null : <Removal name={stored.name} path={path} list={list} />}
            </Stack>
          </Stack>
        </Section>
      </Stack>
    </Page>
  );
}

interface FieldsProps {
  readonly draft: ProviderDraft;
  readonly onChange: (draft: ProviderDraft) => void;
  readonly stored: Provider | undefined;
  readonly error: unknown;
  readonly path: string;
}

function Fields({ draft, onChange, stored, error, path }: FieldsProps): ReactElement {
  const t = useWords(PROVIDERS);
  const set = (changed: Partial<ProviderDraft>): void => onChange({ ...draft, ...changed });
  const text = (name: 'name' | 'display_name' | 'issuer' | 'client_id', isRequired: boolean, help?: string): ReactElement => (
    <TextField
      size="small"
      label={t(name)}
      required={isRequired}
      disabled={name === 'name' && stored !== undefined}
      value={draft[name]}
      onChange={(event) => set({ [name]: event.target.value })}
      error={errorAt(error, name) !== undefined}
      helperText={errorAt(error, name) ?? help}
    />
  );
  return (
    <>
      {text('name', true, t('name_help'))}
      {text('display_name', false, t('display_name_help'))}
      {text('issuer', true, t('issuer_help'))}
      <IssuerTest issuer={draft.issuer} scopes={draft.scopes} path={`${path}/check`} />
      {text('client_id', true)}
      <Secret draft={draft} set={set} stored={stored} />
      <ScopeList draft={draft} set={set} error={error} />
      <Toggle label={t('allow_signup')} isOn={draft.allow_signup} onChange={(isOn) => set({ allow_signup: isOn })} />
      {draft.allow_signup ? (
        <RolesInput
          label={t('default_roles')}
          value={draft.default_roles}
          onChange={(roles) => set({ default_roles: roles })}
          error={errorAt(error, 'default_roles') !== undefined}
          helperText={errorAt(error, 'default_roles')}
        />
      ) : null}
      <Toggle label={t('active')} isOn={draft.active} onChange={(isOn) => set({ active: isOn })} />
    </>
  );
}

interface PartProps {
  readonly draft: ProviderDraft;
  readonly set: (changed: Partial<ProviderDraft>) => void;
}

function Secret({ draft, set, stored }: PartProps & Pick<FieldsProps, 'stored'>): ReactElement {
  const t = useWords(PROVIDERS);
  const help = stored === undefined ? 'secret_new' : stored.has_secret ? 'secret_keep' : 'secret_none';
  return (
    <>
      <TextField
        size="small"
        type="password"
        autoComplete="new-password"
        label={t('client_secret')}
        disabled={draft.dropsSecret}
        value={draft.secret}
        onChange={(event) => set({ secret: event.target.value })}
        helperText={t(help)}
      />
      {stored?.has_secret === true ? (
        <Toggle label={t('secret_drop')} isOn={draft.dropsSecret} onChange={(isOn) => set({ dropsSecret: isOn, secret: '' })} />
      ) : null}
    </>
  );
}

const USUAL_SCOPES = ['openid', 'email', 'profile', 'offline_access', 'groups'];

function ScopeList({ draft, set, error }: PartProps & Pick<FieldsProps, 'error'>): ReactElement {
  const t = useWords(PROVIDERS);
  return (
    <TextsInput
      label={t('scopes')}
      options={USUAL_SCOPES}
      value={draft.scopes}
      onChange={(chosen) => set({ scopes: tidied(chosen) })}
      helperText={errorAt(error, 'scopes') ?? t('scopes_help')}
      error={errorAt(error, 'scopes') !== undefined}
    />
  );
}

interface ToggleProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Toggle({ label, isOn, onChange }: ToggleProps): ReactElement {
  return (
    <FormControlLabel control={<Switch size="small" checked={isOn} onChange={(event) => onChange(event.target.checked)} />} label={label} />
  );
}

function Removal({ name, path, list }: { readonly name: string; readonly path: string; readonly list: string }): ReactElement {
  const t = useWords(PROVIDERS);
  const send = useSend();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const remove = async (): Promise<void> => {
    await send('DELETE', `${path}/${name}`);
    void navigate(list);
  };
  return (
    <>
      <Button color="error" onClick={() => setAsking(true)}>
        {t('remove')}
      </Button>
      {isAsking ? (
        <Confirm title={t('remove_title', { name })} action={t('remove')} isDestructive onConfirm={remove} onClose={() => setAsking(false)}>
          {t('remove_says')}
        </Confirm>
      ) : null}
    </>
  );
}
