/** What a change made of a value: the words that went and came, the places of a JSON, or old and new side by side. */
import { Box } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';
import { useWords } from '../i18n/words.ts';
import { diffJson, diffWords } from './diff.ts';
import { FieldValue } from './FieldValue.tsx';
import { FIELDS } from './words.ts';

interface ChangeProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  /** Undefined and null are nothing. */
  readonly from: unknown;
  readonly to: unknown;
}

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === '';

export function Change({ entity, field, from, to }: ChangeProps): ReactElement {
  const t = useWords(FIELDS);
  const show = (value: unknown): ReactElement => <FieldValue entity={entity} field={field} value={value} />;
  if (field.type === 'json' && !isNothing(from) && !isNothing(to)) return <JsonChange from={from} to={to} />;
  if (field.type === 'text' && typeof from === 'string' && typeof to === 'string' && from !== '' && to !== '')
    return <Words from={from} to={to} />;
  return (
    <Box component="span" sx={{ display: 'inline-flex', flexWrap: 'wrap', alignItems: 'baseline', columnGap: 1, overflowWrap: 'anywhere' }}>
      {isNothing(from) ? null : <Gone>{show(from)}</Gone>}
      <Box component="span" aria-hidden sx={{ color: 'text.secondary' }}>
        →
      </Box>
      {isNothing(to) ? <span>{t('nothing')}</span> : <New>{show(to)}</New>}
    </Box>
  );
}

function Gone({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <Box component="del" sx={{ color: 'text.secondary', textDecorationColor: 'error.main' }}>
      {children}
    </Box>
  );
}

function New({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <Box component="ins" sx={{ textDecoration: 'none', fontWeight: 500 }}>
      {children}
    </Box>
  );
}

function Words({ from, to }: { readonly from: string; readonly to: string }): ReactElement {
  return (
    <Box component="span" dir="auto" sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {diffWords(from, to).map(({ kind, text }, index) =>
        kind === 'same' ? (
          <span key={index}>{text}</span>
        ) : kind === 'gone' ? (
          <Gone key={index}>{text}</Gone>
        ) : (
          <New key={index}>{text}</New>
        ),
      )}
    </Box>
  );
}

function JsonChange({ from, to }: { readonly from: unknown; readonly to: unknown }): ReactElement {
  const t = useWords(FIELDS);
  return (
    <Box component="ul" sx={{ m: 0, pl: 0, listStyle: 'none', fontFamily: 'monospace', fontSize: 12, overflowWrap: 'anywhere' }}>
      {diffJson(from, to).map((change) => (
        <li key={change.path}>
          {change.path === '' ? null : `${change.path}: `}
          {change.from === undefined ? null : <Gone>{JSON.stringify(change.from)}</Gone>}{' '}
          {change.to === undefined ? t('cleared') : <New>{JSON.stringify(change.to)}</New>}
        </li>
      ))}
    </Box>
  );
}
