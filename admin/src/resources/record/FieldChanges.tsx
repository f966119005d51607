import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords, type Translate } from '../../i18n/words.ts';
import { RECORD } from './words.ts';

export type Changes = Readonly<Record<string, { readonly old?: unknown; readonly new?: unknown }>>;

/** They follow every change by themselves. */
const AUTOMATIC: ReadonlySet<string> = new Set(['updated_at', '_version']);

export const chosenChanges = (changes: Changes): readonly (readonly [name: string, change: Changes[string]])[] =>
  Object.entries(changes).filter(([name]) => !AUTOMATIC.has(name));

export const labelOf = (entity: DiscoveredEntity | undefined, name: string): string =>
  entity?.fields.find((field) => field.name === name)?.label ?? name;

interface FieldChangesProps {
  /** Undefined for one that is gone: its fields are called as they were. */
  readonly entity: DiscoveredEntity | undefined;
  readonly changes: Changes;
}

/** Each field with its value before and after. */
export function FieldChanges({ entity, changes }: FieldChangesProps): ReactElement {
  const t = useWords(RECORD);
  return (
    <Box component="dl" sx={{ m: 0, mt: 0.5, fontSize: 12 }}>
      {chosenChanges(changes).map(([name, { old: before, new: after }]) => (
        <Box key={name} sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 1 }}>
          <Box component="dt" sx={{ color: 'text.secondary' }}>
            {labelOf(entity, name)}
          </Box>
          <Box component="dd" sx={{ m: 0, overflowWrap: 'anywhere', minWidth: 0 }}>
            <del>{asText(before, t)}</del> → <ins style={{ textDecoration: 'none' }}>{asText(after, t)}</ins>
          </Box>
        </Box>
      ))}
    </Box>
  );
}

function asText(value: unknown, t: Translate<keyof typeof RECORD.byLocale.en>): string {
  if (value === null || value === undefined || value === '') return t('empty');
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
