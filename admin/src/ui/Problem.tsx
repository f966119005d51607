/** A refusal as the API words it: message, hint, the details by place, the code and the request to ask about. */
import { Alert, AlertTitle, Box, Button } from '@mui/material';
import type { ReactElement } from 'react';
import { ApiError } from '../../../client/client.ts';
import { refusedBody } from '../providers/record-error.ts';
import { useWords } from '../i18n/words.ts';
import { UI } from './words.ts';

interface ProblemProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

export function Problem({ error, onRetry }: ProblemProps): ReactElement | null {
  const t = useWords(UI);
  if (error === undefined || error === null) return null;
  const body = error instanceof ApiError ? error.body?.error : refusedBody(error)?.error;
  const details = body?.details ?? [];
  return (
    <Alert
      severity="error"
      sx={{ mb: 2 }}
      action={
        onRetry === undefined ? undefined : (
          <Button color="inherit" size="small" onClick={onRetry}>
            {t('retry')}
          </Button>
        )
      }
    >
      <AlertTitle sx={{ mb: details.length > 0 || body?.hint !== undefined ? 0.5 : 0 }}>
        {body?.message ?? (error instanceof Error ? error.message : t('unreachable'))}
      </AlertTitle>
      {body?.hint === undefined ? null : <Box>{body.hint}</Box>}
      {details.length === 0 ? null : (
        <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
          {details.map((detail, index) => (
            <li key={index}>
              {(detail.path ?? detail.field) ? <strong>{detail.path ?? detail.field}: </strong> : null}
              {detail.message}
            </li>
          ))}
        </Box>
      )}
      {body === undefined ? null : (
        <Box sx={{ mt: 0.5, fontSize: 11, fontFamily: 'monospace', opacity: 0.8 }}>
          {body.code}
          {body.request_id === undefined ? '' : ` · ${t('request', { id: body.request_id })}`}
        </Box>
      )}
    </Alert>
  );
}
