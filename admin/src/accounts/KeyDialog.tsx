/** What an API key is made and changed with. Whom it acts as is settled when it is made. */
import {
  Autocomplete,
  Button,
  Chip,
  FormControl,
  FormControlLabel,
  FormLabel,
  MenuItem,
  Radio,
  RadioGroup,
  Stack,
  TextField,
} from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { useSend } from '../api/use-api.ts';
import { errorAt } from '../definitions/definitions.ts';
import { RolesInput } from '../definitions/RolesInput.tsx';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { rememberedScope } from '../session.ts';
import { useDiscoveryIfAny } from '../shell/discovery-context.ts';
import { Confirm } from '../ui/Confirm.tsx';
import { scopesFor, type ApiKey, type ShownKey } from './key.ts';
import { KEYS } from './key-words.ts';
import { UserInput } from './UserInput.tsx';

interface KeyDialogProps {
  readonly path: string;
  readonly isAdmin: boolean;
  readonly edited: ApiKey | undefined;
  readonly onMade: (key: ShownKey) => void;
  readonly onClose: () => void;
}

type ActsAs = 'self' | 'roles' | 'user';

interface Who {
  readonly as: ActsAs;
  readonly roles: readonly string[];
  readonly user: string | null;
}

const SELF: Who = { as: 'self', roles: [], user: null };

export function KeyDialog({ path, isAdmin, edited, onMade, onClose }: KeyDialogProps): ReactElement {
  const t = useWords(KEYS);
  const send = useSend();
  const [name, setName] = useState(edited?.name ?? '');
  const [scopes, setScopes] = useState<readonly string[]>(edited?.scopes ?? []);
  const [expiry, setExpiry] = useState<Expiry>(edited === undefined ? { choice: '90' } : { choice: 'unchanged' });
  const [who, setWho] = useState(SELF);
  const [error, setError] = useState<unknown>();
  const save = async (): Promise<void> => {
    const body = { name, scopes, ...expiryOf(expiry) };
    try {
      if (edited !== undefined) return void (await send('PATCH', `${path}/${edited.id}`, body));
      const owner = who.as === 'roles' ? { roles: who.roles } : who.as === 'user' ? { user_id: who.user } : {};
      onMade((await send<{ data: ShownKey }>('POST', path, { ...body, ...owner })).data);
    } catch (refused) {
      setError(refused);
      throw refused;
    }
  };
  return (
    <Confirm
      title={edited === undefined ? t('new') : t('edit_of', { name: edited.name })}
      action={t(edited === undefined ? 'make' : 'save')}
      onConfirm={save}
      onClose={onClose}
    >
      <Stack spacing={2} sx={{ pt: 1 }}>
        <TextField
          autoFocus
          required
          size="small"
          label={t('name')}
          helperText={t('name_help')}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={errorAt(error, 'name') !== undefined}
        />
        <ScopesInput scopes={scopes} onChange={setScopes} isWrong={errorAt(error, 'scopes') !== undefined} />
        {isAdmin && edited === undefined ? <WhoInput who={who} onChange={setWho} /> : null}
        <ExpiryInput expiry={expiry} onChange={setExpiry} stored={edited?.expires_at} />
      </Stack>
    </Confirm>
  );
}

interface ScopesInputProps {
  readonly scopes: readonly string[];
  readonly onChange: (scopes: readonly string[]) => void;
  readonly isWrong: boolean;
}

function ScopesInput({ scopes, onChange, isWrong }: ScopesInputProps): ReactElement {
  const t = useWords(KEYS);
  const options = scopesFor(useDiscoveryIfAny(), rememberedScope().kind === 'platform');
  return (
    <div>
      <Autocomplete
        multiple
        freeSolo
        autoSelect
        disableCloseOnSelect
        size="small"
        options={options}
        groupBy={(scope) => scope.split(':')[0] ?? ''}
        value={[...scopes]}
        onChange={(_, chosen) => onChange([...new Set(chosen.map((scope) => scope.trim()).filter((scope) => scope !== ''))])}
        renderValue={(chosen, itemProps) =>
          chosen.map((scope, index) => {
            const { key, ...props } = itemProps({ index });
            return <Chip key={key} size="small" label={scope} {...props} sx={{ fontFamily: 'monospace' }} />;
          })
        }
        renderInput={(params) => <TextField {...params} required label={t('scopes')} helperText={t('scopes_help')} error={isWrong} />}
      />
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', mt: 0.5 }}>
        <Button size="small" onClick={() => onChange(['*:read'])}>
          {t('read_all')}
        </Button>
        <Button size="small" onClick={() => onChange(['*:*'])}>
          {t('write_all')}
        </Button>
      </Stack>
    </div>
  );
}

function WhoInput({ who, onChange }: { readonly who: Who; readonly onChange: (who: Who) => void }): ReactElement {
  const t = useWords(KEYS);
  const id = useId();
  // An operator of the platform has no account here: a key that acts as its maker is an admin's.
  const self = t(rememberedScope().kind === 'platform' ? 'as_admin' : 'as_self');
  return (
    <FormControl>
      <FormLabel id={id}>{t('acts_as')}</FormLabel>
      <RadioGroup aria-labelledby={id} value={who.as} onChange={(event) => onChange({ ...who, as: event.target.value as ActsAs })}>
        <FormControlLabel value="self" control={<Radio size="small" />} label={self} />
        <FormControlLabel value="roles" control={<Radio size="small" />} label={t('as_roles')} />
        <FormControlLabel value="user" control={<Radio size="small" />} label={t('as_user')} />
      </RadioGroup>
      {who.as === 'roles' ? (
        <RolesInput label={t('roles')} value={who.roles} onChange={(roles) => onChange({ ...who, roles })} besides={['admin']} />
      ) : null}
      {who.as === 'user' ? <UserInput value={who.user} onChange={(user) => onChange({ ...who, user })} /> : null}
    </FormControl>
  );
}

const CHOICES = ['30', '90', '365', 'never', 'date'] as const;

interface Expiry {
  readonly choice: (typeof CHOICES)[number] | 'unchanged';
  /** Of `date`. */
  readonly day?: string;
}

function expiryOf({ choice, day = '' }: Expiry): { readonly expires_at?: string | null } {
  if (choice === 'unchanged') return {};
  if (choice === 'never') return { expires_at: null };
  // To the end of that day, where the person is.
  if (choice === 'date') return day === '' ? {} : { expires_at: new Date(`${day}T23:59:59`).toISOString() };
  return { expires_at: new Date(Date.now() + Number(choice) * 86_400_000).toISOString() };
}

interface ExpiryInputProps {
  readonly expiry: Expiry;
  readonly onChange: (expiry: Expiry) => void;
  readonly stored: string | null | undefined;
}

function ExpiryInput({ expiry, onChange, stored }: ExpiryInputProps): ReactElement {
  const t = useWords(KEYS);
  const format = useFormat();
  const labelOf = (choice: Expiry['choice']): string => {
    if (choice === 'unchanged') return t('unchanged', { at: stored === null || stored === undefined ? t('never') : format.date(stored) });
    return choice === 'never' || choice === 'date' ? t(choice) : choice === '365' ? t('year') : t('days', Number(choice));
  };
  const choices = stored === undefined ? CHOICES : (['unchanged', ...CHOICES] as const);
  return (
    <Stack direction={{ xs: 'column', sm: 'row' }} spacing={2}>
      <TextField
        select
        fullWidth
        size="small"
        label={t('expires')}
        value={expiry.choice}
        onChange={(event) => onChange({ choice: event.target.value as Expiry['choice'] })}
      >
        {choices.map((choice) => (
          <MenuItem key={choice} value={choice}>
            {labelOf(choice)}
          </MenuItem>
        ))}
      </TextField>
      {expiry.choice === 'date' ? (
        <TextField
          fullWidth
          size="small"
          type="date"
          label={t('day')}
          value={expiry.day ?? ''}
          onChange={(event) => onChange({ choice: 'date', day: event.target.value })}
          slotProps={{ inputLabel: { shrink: true } }}
        />
      ) : null}
    </Stack>
  );
}
