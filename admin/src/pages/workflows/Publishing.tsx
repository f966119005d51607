/** What the draft is worth so far, its changes back and forth, and publishing it; or taking the definition away. */
import RedoOutlined from '@mui/icons-material/RedoOutlined';
import UndoOutlined from '@mui/icons-material/UndoOutlined';
import { Alert, Box, Button, IconButton, Paper, Stack, Tooltip } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useNavigate } from 'react-router-dom';
import { Refused } from '../../definitions/Refused.tsx';
import { dropItem } from '../../document/items.ts';
import { PublishDialog } from '../../document/PublishDialog.tsx';
import { publishedState } from '../../document/PublishedNotice.tsx';
import type { Published } from '../../document/plan.ts';
import type { DocumentInput } from '../../document/types.ts';
import type { DryRun, ServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Status } from '../../ui/Status.tsx';
import type { Trouble } from './problems.ts';
import type { Draft } from './use-draft.ts';
import type { Workflow } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface PublishingProps {
  readonly served: ServedDocument;
  readonly stored: Workflow | undefined;
  readonly draft: Draft;
  readonly judged: { readonly document: DocumentInput; readonly dryRun: DryRun; readonly troubles: readonly Trouble[] };
}

export function Publishing({ served, stored, draft, judged }: PublishingProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { app } = useDiscovery();
  const navigate = useNavigate();
  const reload = useReload();
  const [asked, setAsked] = useState<DocumentInput | undefined>();
  const isChanged = draft.workflow !== stored;
  const isRemoval = asked !== undefined && asked !== judged.document;
  const done = async (answer: Published): Promise<void> => {
    const to = isRemoval || stored?.id === undefined ? `/t/${app.name}/_workflows` : `/t/${app.name}/_workflows/${stored.id}`;
    await navigate(to, { state: publishedState(answer), replace: true });
    await reload();
  };
  const tool = (label: string, icon: ReactElement, act: (() => void) | undefined): ReactElement => (
    <Tooltip title={label}>
      <span>
        <IconButton size="small" aria-label={label} disabled={act === undefined} onClick={act}>
          {icon}
        </IconButton>
      </span>
    </Tooltip>
  );
  return (
    <Paper variant="outlined" sx={{ p: 1 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        {tool(t('undo'), <UndoOutlined fontSize="small" />, draft.undo)}
        {tool(t('redo'), <RedoOutlined fontSize="small" />, draft.redo)}
        <Box role="status" sx={{ flex: 1, minWidth: 120 }}>
          {isChanged ? <Verdict judged={judged} /> : <Status tone="done" label={t('as_published')} />}
        </Box>
        {stored === undefined ? null : (
          <Button color="error" onClick={() => setAsked(dropItem(served.document, 'workflows', stored.id ?? stored.name))}>
            {t('remove')}
          </Button>
        )}
        <Button disabled={!isChanged} onClick={draft.reset}>
          {t('discard')}
        </Button>
        <Button variant="contained" disabled={!isChanged || judged.dryRun.state !== 'planned'} onClick={() => setAsked(judged.document)}>
          {t('publish')}
        </Button>
      </Stack>
      {judged.dryRun.state === 'refused' && judged.troubles.length === 0 ? (
        <Box sx={{ mt: 1 }}>
          <Refused error={judged.dryRun.error} />
        </Box>
      ) : null}
      {judged.troubles.some(({ path }) => !path.startsWith('steps.')) ? (
        <Alert severity="warning" sx={{ mt: 1 }}>
          {judged.troubles.flatMap(({ path, message }) => (path.startsWith('steps.') ? [] : [<div key={path}>{message}</div>]))}
        </Alert>
      ) : null}
      {asked === undefined ? null : (
        <PublishDialog
          document={asked}
          base={served.version}
          onClose={() => setAsked(undefined)}
          onPublished={(answer) => void done(answer)}
        />
      )}
    </Paper>
  );
}

function Verdict({ judged: { dryRun, troubles } }: Pick<PublishingProps, 'judged'>): ReactElement {
  const t = useWords(WORKFLOWS);
  const shown = troubles.filter(({ level }) => level !== 'info').length;
  if (dryRun.state === 'asking' || dryRun.state === 'none') return <Status tone="running" label={t('judging')} />;
  if (dryRun.state === 'refused') return <Status tone="failed" label={t('problems', Math.max(shown, 1))} />;
  return shown === 0 ? <Status tone="info" label={t('publishable')} /> : <Status tone="warning" label={t('problems', shown)} />;
}
