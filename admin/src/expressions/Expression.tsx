/** A field of a form that holds an expression. The editor comes when it is first shown; until then the text can be read. */
import { Box, Typography } from '@mui/material';
import { lazy, Suspense, type ReactElement, type ReactNode } from 'react';
import type { ExpressionEditorProps } from './ExpressionEditor.tsx';

const ExpressionEditor = lazy(() => import('./ExpressionEditor.tsx'));

interface ExpressionProps extends ExpressionEditorProps {
  readonly hint?: ReactNode;
  /** What the server refused about it. */
  readonly error?: string | undefined;
}

export function Expression({ hint, error, ...editor }: ExpressionProps): ReactElement {
  return (
    <Box sx={{ minWidth: 0 }}>
      <Typography component="div" variant="body2" sx={{ fontWeight: 500, mb: 0.5 }} aria-hidden>
        {editor.label}
      </Typography>
      {hint === undefined ? null : (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mb: 0.5 }}>
          {hint}
        </Typography>
      )}
      <Suspense fallback={<Waiting text={editor.value} />}>
        <ExpressionEditor {...editor} />
      </Suspense>
      {error === undefined ? null : (
        <Typography variant="caption" component="div" role="alert" sx={{ color: 'error.main' }}>
          {error}
        </Typography>
      )}
    </Box>
  );
}

function Waiting({ text }: { readonly text: string }): ReactElement {
  return (
    <Box
      sx={{
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        minHeight: 44,
        p: 1,
        fontFamily: 'monospace',
        whiteSpace: 'pre-wrap',
        mb: 3,
      }}
    >
      {text}
    </Box>
  );
}
