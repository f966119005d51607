import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import { Copy } from './Copy.tsx';

interface CodeProps {
  readonly text: string;
  /** What it is, for readers of the screen and the copy button. */
  readonly label: string;
  readonly maxHeight?: number | string;
}

/** Text of machines, to be read and copied. Editing is `CodeEditor`'s, which is loaded only where it is needed. */
export function Code({ text, label, maxHeight = 360 }: CodeProps): ReactElement {
  return (
    // The button has a place of its own: over the text it would hide the ends of long lines.
    <Box sx={{ display: 'flex', alignItems: 'flex-start', border: 1, borderColor: 'divider', borderRadius: 1, bgcolor: 'action.hover' }}>
      <Box
        component="pre"
        tabIndex={0}
        role="region"
        aria-label={label}
        sx={{ m: 0, p: 1.5, flexGrow: 1, minWidth: 0, maxHeight, overflow: 'auto', fontSize: 12, lineHeight: 1.5, fontFamily: 'monospace' }}
      >
        {text}
      </Box>
      <Box sx={{ p: 0.5 }}>
        <Copy text={text} of={label} />
      </Box>
    </Box>
  );
}
