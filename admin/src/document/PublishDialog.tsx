/**
 * Publishing a document, from any page: shows what would change, asks what has to be said first, has drops typed, publishes with
 * `If-Match`, and tells whether the version is active or on its way.
 *   {changed === undefined ? null : <PublishDialog document={changed} base={served.version} onPublished={...} onClose={...} />}
 */
import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { useId, useMemo, useState, type ReactElement } from 'react';
import { appPath, useSend } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { Problem } from '../ui/Problem.tsx';
import { UI } from '../ui/words.ts';
import { Impact } from './Impact.tsx';
import { dropsOf, subjectOf, withInstruction, type Plan, type Published } from './plan.ts';
import type { DocumentInput, InstructionInput } from './types.ts';
import { useDryRun } from './use-document.ts';
import { DOCUMENT } from './words.ts';

interface PublishDialogProps {
  readonly document: DocumentInput;
  /** The version it was made from. */
  readonly base: number;
  /** Takes answers into the caller's own draft; without it they belong to this publish. */
  readonly onAnswer?: (instruction: InstructionInput) => void;
  /** Once it is done. Call `useReload()` then: pages are made anew from what is served. */
  readonly onPublished: (published: Published) => void;
  readonly onClose: () => void;
}

export function PublishDialog({ document, base, onAnswer, onPublished, onClose }: PublishDialogProps): ReactElement {
  const t = useWords(DOCUMENT);
  const ui = useWords(UI);
  const id = useId();
  const send = useSend();
  const { app } = useDiscovery();
  const [answers, setAnswers] = useState<readonly InstructionInput[]>([]);
  const whole = useMemo(() => answers.reduce(withInstruction, document), [document, answers]);
  const dryRun = useDryRun(whole, { pauseMs: 0 });
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const plan = dryRun.state === 'planned' ? dryRun.plan : undefined;
  const word = plan === undefined ? undefined : wordFor(plan, app.name);
  const isStale = plan !== undefined && plan.from_version !== base;
  const isAsked = plan?.questions.some(({ rule }) => rule === 'rename_or_drop') ?? false;
  const canPublish = plan !== undefined && plan.changes.length > 0 && !isStale && !isAsked && (word === undefined || typed === word);
  const publish = (): void => {
    setBusy(true);
    setError(undefined);
    const confirm = word === undefined ? '' : '?confirm=drop';
    send<{ data: Published }>('POST', `${appPath(app.name)}/_admin/versions${confirm}`, whole, { headers: { 'if-match': `"${base}"` } })
      .then(({ data }) => onPublished(data), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} maxWidth="md" fullWidth>
      <DialogTitle id={id}>{t('publish_title')}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Problem error={error} />
          {isStale ? <Alert severity="warning">{t('stale', { version: plan.from_version })}</Alert> : null}
          <Impact dryRun={dryRun} onAnswer={onAnswer ?? ((instruction) => setAnswers([...answers, instruction]))} />
          {word === undefined || isAsked ? null : (
            <>
              <Alert severity="warning">{t('typed_drops')}</Alert>
              <TextField
                size="small"
                label={ui('type_to_confirm', { word })}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                autoComplete="off"
              />
            </>
          )}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{ui('cancel')}</Button>
        <Button
          variant={word === undefined ? 'contained' : 'outlined'}
          color={word === undefined ? 'primary' : 'error'}
          disabled={!canPublish || isBusy}
          onClick={publish}
        >
          {isBusy ? t('publishing') : t('publish')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** What has to be typed before values are lost: the name of the one thing that is dropped, else that of the app. */
function wordFor(plan: Plan, app: string): string | undefined {
  const drops = dropsOf(plan);
  const [first] = drops;
  if (first === undefined) return undefined;
  return drops.length === 1 ? subjectOf(first) : app;
}
