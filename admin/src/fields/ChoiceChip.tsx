import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import { choiceWord } from './values.ts';

type Tone = 'success.main' | 'primary.main' | 'warning.main' | 'error.main' | 'text.disabled' | `#${string}`;

const MEANINGS: readonly (readonly [tone: Tone, words: readonly string[]])[] = [
  ['success.main', ['done', 'closed', 'resolved', 'approved', 'paid', 'completed', 'published', 'active', 'succeeded', 'delivered', 'won']],
  ['primary.main', ['in_progress', 'assigned', 'running', 'processing', 'open', 'started', 'in_review', 'submitted', 'shipped']],
  ['warning.main', ['on_hold', 'held', 'paused', 'waiting', 'pending', 'high', 'escalated', 'suspended']],
  ['error.main', ['failed', 'rejected', 'critical', 'urgent', 'blocked', 'error', 'overdue', 'lost']],
  ['text.disabled', ['draft', 'cancelled', 'canceled', 'archived', 'inactive', 'low', 'none', 'other', 'terminated']],
];

/** For words whose meaning nobody knows: told apart, and alike wherever they stand. */
const OTHERS = ['#5b8def', '#a06cd5', '#3aa6a0', '#c77d3a', '#7d8aa0', '#c25b8f'] as const;

function toneOf(value: string): Tone {
  const word = value.toLowerCase().replaceAll(/[\s-]+/g, '_');
  const known = MEANINGS.find(([, words]) => words.includes(word));
  if (known !== undefined) return known[0];
  const sum = [...word].reduce((total, letter) => (total * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  return OTHERS[sum % OTHERS.length] ?? OTHERS[0];
}

/** One of a set of words: a dot in a colour, and the word, which alone says it all. */
export function ChoiceChip({ value }: { readonly value: unknown }): ReactElement {
  return (
    <Box
      component="span"
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 0.75,
        px: 1,
        py: '1px',
        border: 1,
        borderColor: 'divider',
        borderRadius: 4,
        maxWidth: '100%',
        whiteSpace: 'nowrap',
        '&::before': { content: '""', width: 8, height: 8, borderRadius: '50%', bgcolor: toneOf(String(value as string)), flex: 'none' },
      }}
    >
      <Box component="span" sx={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>
        {choiceWord(value)}
      </Box>
    </Box>
  );
}
