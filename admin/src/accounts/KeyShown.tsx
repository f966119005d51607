import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack } from '@mui/material';
import { useId, type ReactElement } from 'react';
import { appPath } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscoveryIfAny } from '../shell/discovery-context.ts';
import { Code } from '../ui/Code.tsx';
import type { ShownKey } from './key.ts';
import { KEYS } from './key-words.ts';

/** A click beside it does not close it: what is gone then is gone. */
export function KeyShown({ shown, onClose }: { readonly shown: ShownKey; readonly onClose: () => void }): ReactElement {
  const t = useWords(KEYS);
  const id = useId();
  const app = useDiscoveryIfAny()?.app.name;
  const me = `${window.location.origin}${app === undefined ? '/api/_platform' : appPath(app)}/auth/me`;
  return (
    <Dialog open aria-labelledby={id} maxWidth="sm" fullWidth>
      <DialogTitle id={id}>{t('shown_title', { name: shown.name })}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Alert severity="warning">{t('shown_once')}</Alert>
          <Code text={shown.key} label={t('key')} />
          <Code text={`curl -H "X-Api-Key: ${shown.key}" ${me}`} label={t('example')} />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button variant="contained" onClick={onClose}>
          {t('kept')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
