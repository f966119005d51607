import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { FIELDS } from './words.ts';

/** Lists of this many and more begin closed. */
const LONG = 20;

/** JSON to be looked through: objects and lists open and close; the keyboard does it too, because they are `details`. */
export function JsonView({ value, label }: { readonly value: unknown; readonly label: string }): ReactElement {
  return (
    <Box
      role="group"
      aria-label={label}
      tabIndex={0}
      sx={{
        fontFamily: 'monospace',
        fontSize: 12,
        lineHeight: 1.6,
        maxHeight: 360,
        overflow: 'auto',
        overflowWrap: 'anywhere',
        '& summary': { cursor: 'pointer', color: 'text.secondary' },
        '& ul': { listStyle: 'none', m: 0, pl: 2, borderLeft: 1, borderColor: 'divider' },
      }}
    >
      <Part value={value} depth={0} />
    </Box>
  );
}

function Part({ value, depth }: { readonly value: unknown; readonly depth: number }): ReactElement {
  const t = useWords(FIELDS);
  if (typeof value !== 'object' || value === null) return <Leaf value={value} />;
  const entries = Object.entries(value);
  const size = t(Array.isArray(value) ? 'items' : 'keys', entries.length);
  if (entries.length === 0) return <span>{Array.isArray(value) ? '[]' : '{}'}</span>;
  return (
    <details open={depth < 2 && entries.length < LONG}>
      <summary>{size}</summary>
      <ul>
        {entries.map(([key, one]) => (
          <li key={key}>
            <Box component="span" sx={{ color: 'primary.main' }}>
              {key}
            </Box>
            {': '}
            <Part value={one} depth={depth + 1} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Leaf({ value }: { readonly value: unknown }): ReactElement {
  const color = typeof value === 'string' ? 'success.main' : typeof value === 'number' ? 'warning.main' : 'text.secondary';
  return (
    <Box component="span" sx={{ color, whiteSpace: 'pre-wrap' }}>
      {JSON.stringify(value)}
    </Box>
  );
}
