import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { useId, useState, type FormEvent, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { statesOf, withRenamed, type Body } from './machine.ts';
import { MACHINES } from './words.ts';

interface RenameDialogProps {
  readonly state: string;
  readonly body: Body;
  /** Records that have it now. */
  readonly count: number;
  readonly onTake: (body: Body) => void;
  readonly onClose: () => void;
}

export function RenameDialog({ state, body, count, onTake, onClose }: RenameDialogProps): ReactElement {
  const t = useWords(MACHINES);
  const id = useId();
  const [name, setName] = useState(state);
  const isTaken = name !== state && statesOf(body).includes(name.trim());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onTake(withRenamed(body, state, name.trim()));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id={id}>{t('rename_title', { state })}</DialogTitle>
        <DialogContent>
          <Stack spacing={2}>
            <Alert severity={count > 0 ? 'warning' : 'info'}>
              {t('rename_says')} {count > 0 ? t('rename_held', count) : ''}
            </Alert>
            <TextField
              autoFocus
              size="small"
              label={t('new_name')}
              value={name}
              error={isTaken}
              onChange={(event) => setName(event.target.value)}
            />
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={isTaken || name.trim() === '' || name === state}>
            {t('rename')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
