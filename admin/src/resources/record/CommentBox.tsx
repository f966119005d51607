import { Button, Stack, TextField } from '@mui/material';
import { useState, type ReactElement, type SubmitEvent } from 'react';
import { useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import { useComments } from './use-comments.ts';
import { RECORD } from './words.ts';

/** Where one writes a comment; nothing for who may not. */
export function CommentBox({ path }: { readonly path: string }): ReactElement | null {
  const t = useWords(RECORD);
  const send = useSend();
  const [body, setBody] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const comments = useComments(path);
  if (comments.data?.meta.may_write !== true) return null;
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    send('POST', `${path}/_comments`, { body })
      .then(() => setBody(''), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Stack component="form" spacing={1} onSubmit={submit}>
      <Problem error={error} />
      <TextField
        multiline
        minRows={2}
        size="small"
        label={t('write')}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        slotProps={{ htmlInput: { maxLength: 10_000 } }}
      />
      <Button type="submit" variant="outlined" size="small" disabled={isBusy || body.trim() === ''} sx={{ alignSelf: 'end' }}>
        {t('send')}
      </Button>
    </Stack>
  );
}
