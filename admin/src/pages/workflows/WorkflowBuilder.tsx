import { Box, Paper, Stack, Typography } from '@mui/material';
import { lazy, Suspense, useMemo, useState, type ReactElement } from 'react';
import { putItem } from '../../document/items.ts';
import type { DocumentInput } from '../../document/types.ts';
import { useDryRun, type DryRun, type ServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { Loading } from '../../ui/Page.tsx';
import { useAddress } from '../../ui/use-address.ts';
import { AddStep, type Anchor } from './AddStep.tsx';
import { BuilderProvider } from './builder.ts';
import { DefinitionPanel } from './DefinitionPanel.tsx';
import { Outline } from './Outline.tsx';
import { troublesByStep, troublesOf, type Trouble } from './problems.ts';
import { Publishing } from './Publishing.tsx';
import { StepPanel } from './StepPanel.tsx';
import { changeStep, freeIds, insertStep, moveStep, moveToList, placeOf, removeStep, stepsOf, withTarget, type Gap } from './steps.ts';
import { useBuilderValue } from './use-builder.ts';
import { useDraft, type Draft } from './use-draft.ts';
import { emptyStep, type Step, type StepKind, type Workflow } from './workflow.ts';
import { useTriggerWords, WORKFLOWS } from './words.ts';

const Diagram = lazy(() => import('./Diagram.tsx'));

interface WorkflowBuilderProps {
  readonly served: ServedDocument;
  /** Undefined for a new one. */
  readonly stored: Workflow | undefined;
  readonly initial: Workflow;
}

/** What is chosen, and the record that is tried, stand in the address. */
function useChosen(): {
  readonly step: string | undefined;
  readonly record: string;
  readonly set: (name: 'step' | 'record', value: string | undefined) => void;
} {
  const { params, change } = useAddress();
  const set = (name: 'step' | 'record', value: string | undefined): void => change({ [name]: value }, { replace: true });
  return { step: params.get('step') ?? undefined, record: params.get('record') ?? '', set };
}

/** The document with the draft in it, and what publishing it would say. */
function useJudged(
  served: ServedDocument,
  stored: Workflow | undefined,
  workflow: Workflow,
): { document: DocumentInput; dryRun: DryRun; troubles: readonly Trouble[] } {
  const document = useMemo(
    () => putItem(served.document, 'workflows', workflow as unknown as NonNullable<DocumentInput['workflows']>[number]),
    [served, workflow],
  );
  const dryRun = useDryRun(workflow === stored ? undefined : document);
  const [last, setLast] = useState<DryRun>({ state: 'none' });
  // While the next is asked, what was wrong stays: marks that come and go with each letter tell nothing.
  if (dryRun.state !== 'asking' && dryRun !== last) setLast(dryRun);
  const at = (document.workflows ?? []).findIndex((each) => each.id === stored?.id && each.id !== undefined);
  const index = at === -1 ? (document.workflows ?? []).length - 1 : at;
  return { document, dryRun, troubles: useMemo(() => troublesOf(last, index), [last, index]) };
}

export function WorkflowBuilder({ served, stored, initial }: WorkflowBuilderProps): ReactElement {
  const draft = useDraft(initial);
  const chosen = useChosen();
  const { workflow } = draft;
  const judged = useJudged(served, stored, workflow);
  const builder = useBuilderValue(served, workflow, chosen.record, judged.troubles);
  return (
    <BuilderProvider value={builder}>
      <Stack spacing={2}>
        <Publishing served={served} stored={stored} draft={draft} judged={judged} />
        <Canvas draft={draft} stored={stored} chosen={chosen} troubles={judged.troubles} />
      </Stack>
    </BuilderProvider>
  );
}

interface CanvasProps {
  readonly draft: Draft;
  readonly stored: Workflow | undefined;
  readonly chosen: ReturnType<typeof useChosen>;
  readonly troubles: readonly Trouble[];
}

function Canvas(props: CanvasProps): ReactElement {
  const { draft, chosen, troubles } = props;
  const t = useWords(WORKFLOWS);
  const triggerSaid = useTriggerWords();
  const { workflow } = draft;
  const [adding, setAdding] = useState<{ readonly gap: Gap; readonly anchor: Anchor } | undefined>();
  const problems = useMemo(
    () => new Map([...troublesByStep(workflow.steps, troubles)].map(([id, list]) => [id, list.length] as const)),
    [workflow.steps, troubles],
  );
  const setSteps = (change: (steps: readonly Step[]) => readonly Step[]): void =>
    draft.change((before) => {
      const steps = change(before.steps);
      return steps === before.steps ? before : { ...before, steps };
    });
  const add = (gap: Gap, kind: StepKind): void => {
    const step = emptyStep(kind, freeIds(workflow.steps));
    setSteps((steps) => insertStep(steps, gap, step));
    chosen.set('step', step.id);
    setAdding(undefined);
  };
  const onAdd = (gap: Gap, anchor: Anchor): void => setAdding({ gap, anchor });
  const remove = (id: string): void => setSteps((steps) => removeStep(steps, id));
  return (
    <>
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 3fr) minmax(0, 2fr)' },
          alignItems: 'start',
        }}
      >
        <Suspense fallback={<Loading lines={10} />}>
          <Diagram
            label={t('diagram')}
            steps={workflow.steps}
            begins={triggerSaid(workflow.trigger)}
            chosen={chosen.step}
            problems={problems}
            onChoose={(step) => chosen.set('step', step)}
            onAdd={onAdd}
            onLead={(id, key, target) =>
              setSteps((steps) => {
                const step = placeOf(steps, id)?.step;
                return step === undefined ? steps : changeStep(steps, id, withTarget(step, key, target));
              })
            }
          />
        </Suspense>
        <Panel {...props} setSteps={setSteps} />
      </Box>
      <Outline
        steps={workflow.steps}
        chosen={chosen.step}
        problems={problems}
        onChoose={(step) => chosen.set('step', step)}
        onAdd={onAdd}
        onMove={(id, by) => setSteps((steps) => moveStep(steps, id, by))}
        onRemove={remove}
      />
      {adding === undefined ? null : (
        <AddStep anchor={adding.anchor} onPick={(kind) => add(adding.gap, kind)} onClose={() => setAdding(undefined)} />
      )}
    </>
  );
}

interface PanelProps extends CanvasProps {
  readonly setSteps: (change: (steps: readonly Step[]) => readonly Step[]) => void;
}

/** The form of the chosen step, or of the definition itself. */
function Panel({ draft, stored, chosen, troubles, setSteps }: PanelProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { workflow, revision } = draft;
  const place = placeOf(workflow.steps, chosen.step);
  const own = place === undefined ? [] : (troublesByStep(workflow.steps, troubles).get(place.step.id) ?? []);
  const title = place === undefined ? t('definition') : `${t(`kind_${place.step.type}`)}: ${place.step.name ?? place.step.id}`;
  return (
    <Paper
      variant="outlined"
      component="section"
      aria-label={t('form')}
      sx={{ p: 2, minWidth: 0, maxHeight: { lg: 640 }, overflow: 'auto' }}
      tabIndex={0}
    >
      <Typography component="h2" variant="h6" sx={{ mb: 2, overflowWrap: 'anywhere' }}>
        {title}
      </Typography>
      {own.map(({ path, message }) => (
        <Typography key={`${path} ${message}`} variant="body2" role="alert" color="error" sx={{ mb: 2, overflowWrap: 'anywhere' }}>
          {message}
        </Typography>
      ))}
      {place === undefined ? (
        <DefinitionPanel
          key={revision}
          workflow={workflow}
          stored={stored}
          onChange={(next) => draft.change(() => next)}
          record={chosen.record}
          onRecord={(id) => chosen.set('record', id)}
        />
      ) : (
        <StepPanel
          key={`${place.step.id} ${revision}`}
          place={place}
          steps={workflow.steps}
          beside={(stepsOf(workflow.steps, place.list) ?? []).map(({ id }) => id)}
          onChange={(step) => {
            setSteps((steps) => changeStep(steps, place.step.id, step));
            if (step.id !== place.step.id) chosen.set('step', step.id);
          }}
          onMoveTo={(list) => setSteps((steps) => moveToList(steps, place.step.id, list))}
          onRemove={() => {
            setSteps((steps) => removeStep(steps, place.step.id));
            chosen.set('step', undefined);
          }}
        />
      )}
    </Paper>
  );
}
