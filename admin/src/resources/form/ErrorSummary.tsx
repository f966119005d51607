import { Alert, AlertTitle, Box, Link } from '@mui/material';
import { useEffect, useRef, type ReactElement } from 'react';
import { ValidationError } from 'react-admin';
import { useFormState } from 'react-hook-form';
import { useWords } from '../../i18n/words.ts';
import { focusFirst } from './focus.ts';
import { mistakesOf } from './mistakes.ts';
import { FORM } from './words.ts';

interface ErrorSummaryProps {
  /** What the input of that name is called. */
  readonly labelOf: (source: string) => string;
}

/** What keeps the form from being saved, each with a link to its input; the first one is gone to at once. */
export function ErrorSummary({ labelOf }: ErrorSummaryProps): ReactElement {
  const t = useWords(FORM);
  const { errors, submitCount, isSubmitting } = useFormState();
  const box = useRef<HTMLDivElement>(null);
  const mistakes = mistakesOf(errors);
  const whole = errors.root?.['serverError']?.message;
  const formOf = (): Element | null => box.current?.closest('form') ?? null;
  useEffect(() => {
    if (submitCount === 0 || isSubmitting || (mistakes.length === 0 && whole === undefined)) return;
    if (!focusFirst(formOf(), new Set(mistakes.map(({ source }) => source)))) box.current?.focus();
    // At a try to save, and not while what is wrong is being mended.
  }, [submitCount, isSubmitting]);
  return (
    <Box ref={box} tabIndex={-1} sx={{ outline: 'none', width: '100%' }}>
      {mistakes.length === 0 && whole === undefined ? null : (
        <Alert severity="error" sx={{ mb: 2, overflowWrap: 'anywhere' }}>
          <AlertTitle>{mistakes.length === 0 ? t('not_saved') : t('needs_attention', mistakes.length)}</AlertTitle>
          {whole === undefined || whole === '' ? null : <div>{whole}</div>}
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {mistakes.map(({ source, message }) => (
              <li key={source}>
                <Link
                  href={`#${source}`}
                  color="inherit"
                  onClick={(event) => {
                    event.preventDefault();
                    focusFirst(formOf(), new Set([source]));
                  }}
                >
                  {labelOf(source)}
                </Link>
                {': '}
                <ValidationError error={message} />
              </li>
            ))}
          </Box>
        </Alert>
      )}
    </Box>
  );
}
