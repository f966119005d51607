import { MenuItem, Stack, TextField } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { useSearchParams } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { useAddress } from '../../ui/use-address.ts';
import { AUDIT } from './words.ts';

export type Choose = (name: string, given: string) => void;

/** Changing a filter begins at the newest entry again. */
export function useFilter(): { readonly params: URLSearchParams; readonly choose: Choose; readonly clear: () => void } {
  const [, setParams] = useSearchParams();
  const { params, change } = useAddress();
  const choose: Choose = (name, given) => change({ cursor: undefined, [name]: given }, { replace: true });
  const clear = (): void => setParams(params.get('view') === null ? {} : { view: params.get('view') ?? '' });
  return { params, choose, clear };
}

export function FilterBar({ children }: { readonly children: ReactNode }): ReactElement {
  const t = useWords(AUDIT);
  return (
    <Stack
      direction="row"
      role="search"
      aria-label={t('filters')}
      spacing={1.5}
      useFlexGap
      sx={{ flexWrap: 'wrap', '& > *': { flex: { xs: '1 1 100%', sm: '0 1 200px' }, minWidth: 150 } }}
    >
      {children}
    </Stack>
  );
}

/** A select has no empty value of its own. */
const ANY = '*';

interface ChoiceProps {
  readonly label: string;
  readonly any: string;
  readonly value: string | null;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly onChange: (value: string) => void;
}

export function Choice({ label, any, value, options, onChange }: ChoiceProps): ReactElement {
  return (
    <TextField
      select
      size="small"
      label={label}
      value={value ?? ANY}
      onChange={(event) => onChange(event.target.value === ANY ? '' : event.target.value)}
    >
      <MenuItem value={ANY}>{any}</MenuItem>
      {options.map(([key, name]) => (
        <MenuItem key={key} value={key}>
          {name}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** Both ends of a time, as the person's own clock has it. */
export function Times({ params, choose }: { readonly params: URLSearchParams; readonly choose: Choose }): ReactElement {
  const t = useWords(AUDIT);
  return (
    <>
      {(['from', 'to'] as const).map((name) => (
        <TextField
          key={name}
          size="small"
          type="datetime-local"
          label={t(name)}
          value={params.get(name) ?? ''}
          onChange={(event) => choose(name, event.target.value)}
          slotProps={{ inputLabel: { shrink: true } }}
        />
      ))}
    </>
  );
}
