import { Box, Button, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import type { ToldComment } from './timeline.ts';
import { useComments } from './use-comments.ts';
import { RECORD } from './words.ts';

interface CommentEntryProps {
  readonly comment: ToldComment;
  readonly path: string;
}

/** A comment as plain text; its author may edit it, its author and admins may delete it. */
export function CommentEntry({ comment, path }: CommentEntryProps): ReactElement {
  const t = useWords(RECORD);
  const send = useSend();
  const [draft, setDraft] = useState<string>();
  const [isDeleting, setDeleting] = useState(false);
  const [error, setError] = useState<unknown>();
  const address = `${path}/_comments/${encodeURIComponent(comment.id)}`;
  const own = useComments(path).data?.data.find(({ id }) => id === comment.id);
  const save = (): void => {
    setError(undefined);
    const headers = { 'if-match': `"${own?.version ?? comment.version}"` };
    send('PATCH', address, { body: draft }, { headers }).then(() => setDraft(undefined), setError);
  };
  if (draft !== undefined) {
    return (
      <Stack spacing={1} sx={{ mt: 0.5 }}>
        <Problem error={error} />
        <TextField multiline size="small" autoFocus label={t('comment')} value={draft} onChange={(event) => setDraft(event.target.value)} />
        <Stack direction="row" spacing={1}>
          <Button size="small" variant="contained" disabled={draft.trim() === ''} onClick={save}>
            {t('save')}
          </Button>
          <Button size="small" onClick={() => setDraft(undefined)}>
            {t('cancel')}
          </Button>
        </Stack>
      </Stack>
    );
  }
  return (
    <Box>
      <Typography sx={{ whiteSpace: 'pre-wrap', mt: 0.5 }}>{comment.body}</Typography>
      <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
        {comment.edited_at === null ? null : (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {t('edited')}
          </Typography>
        )}
        {own?.may_edit === true ? (
          <Button size="small" onClick={() => setDraft(comment.body)}>
            {t('edit')}
          </Button>
        ) : null}
        {own?.may_delete === true ? (
          <Button size="small" color="error" onClick={() => setDeleting(true)}>
            {t('remove')}
          </Button>
        ) : null}
      </Stack>
      {isDeleting ? (
        <Confirm
          title={t('remove_comment')}
          action={t('remove')}
          isDestructive
          onConfirm={() => send('DELETE', address)}
          onClose={() => setDeleting(false)}
        >
          {t('remove_help')}
        </Confirm>
      ) : null}
    </Box>
  );
}
