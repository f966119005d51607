/** Asks before something that cannot be undone; where data is lost, by having its name typed. */
import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { useId, useState, type ReactElement, type ReactNode } from 'react';
import { useWords } from '../i18n/words.ts';
import { Problem } from './Problem.tsx';
import { UI } from './words.ts';

interface ConfirmProps {
  readonly title: string;
  /** What will happen, in a sentence. */
  readonly children?: ReactNode;
  /** Inputs that go with it: a comment, a choice. */
  readonly extra?: ReactNode;
  /** The verb on the button. */
  readonly action: string;
  readonly isDestructive?: boolean;
  /** Must be typed before the button works. */
  readonly typed?: string;
  /** Rejecting keeps the dialog open with what was refused. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Rendered while it is open: `{isAsking ? <Confirm … onClose={() => setAsking(false)} /> : null}`. */
export function Confirm({ title, children, extra, action, isDestructive = false, typed, onConfirm, onClose }: ConfirmProps): ReactElement {
  const t = useWords(UI);
  const id = useId();
  const [word, setWord] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = (): void => {
    setBusy(true);
    setError(undefined);
    onConfirm()
      .then(onClose, setError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} maxWidth="sm" fullWidth>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Problem error={error} />
          {children === undefined ? null : isDestructive ? <Alert severity="warning">{children}</Alert> : <div>{children}</div>}
          {extra}
          {typed === undefined ? null : (
            <TextField
              autoFocus
              size="small"
              label={t('type_to_confirm', { word: typed })}
              value={word}
              onChange={(event) => setWord(event.target.value)}
            />
          )}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button
          variant={isDestructive ? 'outlined' : 'contained'}
          color={isDestructive ? 'error' : 'primary'}
          disabled={isBusy || (typed !== undefined && word !== typed)}
          onClick={confirm}
        >
          {action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
