import { Alert, Button, FormControlLabel, Link, Stack, Switch, Typography } from '@mui/material';
import { lazy, Suspense, useMemo, useState, type ReactElement } from 'react';
import { Link as To, useNavigate, useParams, useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { Saved, savedState } from '../../definitions/Saved.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { emptyTransition, withTransition, withoutTransition, type Body, type Machine, type Transition } from './machine.ts';
import { RecordPath, useWalk } from './RecordPath.tsx';
import { RenameDialog } from './RenameDialog.tsx';
import { StateRows, StartForm, TransitionRows } from './Tables.tsx';
import { TransitionDialog } from './TransitionDialog.tsx';
import { MACHINES } from './words.ts';

const Diagram = lazy(() => import('./Diagram.tsx'));

export function MachinePage(): ReactElement {
  const t = useWords(MACHINES);
  const { app } = useDiscovery();
  const { id } = useParams();
  const machines = useDefinitions<Machine>('state-machines');
  const machine = machines.data?.data.find((each) => each.id === id);
  const back = (
    <Link component={To} to={`/t/${app.name}/_machines`} variant="body2">
      {t('back')}
    </Link>
  );
  return (
    <Page title={machine === undefined ? t('title') : `${machine.entity}: ${machine.field}`} description={t('diagram_hint')} actions={back}>
      <Saved />
      <Problem error={machines.error} onRetry={() => void machines.refetch()} />
      {machines.isPending ? <Loading lines={8} /> : null}
      {machines.data !== undefined && machine === undefined ? <Alert severity="warning">{t('gone')}</Alert> : null}
      {machine === undefined || machines.data === undefined ? null : (
        <Whole key={machine.id} machine={machine} version={machines.data.meta.schema_version} />
      )}
    </Page>
  );
}

type Open =
  | { readonly kind: 'transition'; readonly index: number | undefined; readonly transition: Transition }
  | { readonly kind: 'rename'; readonly state: string }
  | { readonly kind: 'delete' };

function Whole({ machine, version }: { readonly machine: Listed<Machine>; readonly version: number }): ReactElement {
  const t = useWords(MACHINES);
  const discovery = useDiscovery();
  const [body, setBody] = useState<Body>(machine.definition);
  const [active, setActive] = useState(machine.active);
  const [open, setOpen] = useState<Open | undefined>();
  const [search, setSearch] = useSearchParams();
  const record = search.get('record') ?? '';
  const counts = useCounts(machine);
  const walk = useWalk(machine, record);
  const entity = entityNamed(discovery, machine.entity);
  const label = `${entity?.label ?? machine.entity}: ${machine.field}`;
  const isChanged = active !== machine.active || JSON.stringify(body) !== JSON.stringify(machine.definition);
  const openTransition = (index: number): void => {
    const transition = body.transitions[index];
    if (transition !== undefined) setOpen({ kind: 'transition', index, transition });
  };
  return (
    <Stack spacing={2}>
      <Publishing
        machine={machine}
        version={version}
        body={body}
        active={active}
        isChanged={isChanged}
        onDiscard={() => (setBody(machine.definition), setActive(machine.active))}
      />
      <Suspense fallback={<Loading lines={8} />}>
        <Diagram
          label={t('diagram', { machine: label })}
          body={body}
          counts={counts}
          visited={walk.visited}
          walked={walk.walked}
          onState={(state) => setOpen({ kind: 'rename', state })}
          onTransition={openTransition}
        />
      </Suspense>
      <Stack direction="row" useFlexGap spacing={2} sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
        <FormControlLabel
          control={<Switch size="small" checked={active} onChange={(event) => setActive(event.target.checked)} />}
          label={t('active')}
        />
        <StartForm body={body} onChange={setBody} />
      </Stack>
      <Typography component="h2" variant="h6">
        {t('states')}
      </Typography>
      <StateRows body={body} counts={counts} onChange={setBody} onRename={(state) => setOpen({ kind: 'rename', state })} />
      <Stack direction="row" sx={{ justifyContent: 'space-between', alignItems: 'center' }}>
        <Typography component="h2" variant="h6">
          {t('transitions')}
        </Typography>
        <Button
          size="small"
          variant="outlined"
          onClick={() => setOpen({ kind: 'transition', index: undefined, transition: emptyTransition(body.initial) })}
        >
          {t('add_transition')}
        </Button>
      </Stack>
      <TransitionRows body={body} onEdit={openTransition} onDelete={(index) => setBody(withoutTransition(body, index))} />
      {entity === undefined ? null : (
        <RecordPath
          machine={machine}
          body={body}
          entity={entity}
          record={record}
          walk={walk}
          onRecord={(id) => setSearch(id === '' ? {} : { record: id }, { replace: true })}
        />
      )}
      <div>
        <Button color="error" onClick={() => setOpen({ kind: 'delete' })}>
          {t('delete_machine')}
        </Button>
      </div>
      {open?.kind === 'transition' ? (
        <TransitionDialog
          entity={machine.entity}
          body={body}
          initial={open.transition}
          isNew={open.index === undefined}
          onTake={(transition) => (setBody(withTransition(body, open.index, transition)), setOpen(undefined))}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open?.kind === 'rename' ? (
        <RenameDialog
          state={open.state}
          body={body}
          count={counts.get(open.state) ?? 0}
          onTake={(next) => (setBody(next), setOpen(undefined))}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open?.kind === 'delete' ? <DeleteMachine machine={machine} label={label} onClose={() => setOpen(undefined)} /> : null}
    </Stack>
  );
}

/** How many live records stand in each state. */
function useCounts({ entity, field }: Machine): ReadonlyMap<string, number> {
  const { app } = useDiscovery();
  const counted = useRead<{ readonly data: readonly Record<string, unknown>[] }>(
    `${appPath(app.name)}/${encodeURIComponent(entity)}/_aggregate?group_by=${encodeURIComponent(field)}&count=*`,
  );
  return useMemo(
    () =>
      new Map(
        (counted.data?.data ?? []).map((row) => {
          const state = row[field];
          return [typeof state === 'string' ? state : '', Number(row['count'])] as const;
        }),
      ),
    [counted.data, field],
  );
}

interface PublishingProps {
  readonly machine: Listed<Machine>;
  readonly version: number;
  readonly body: Body;
  readonly active: boolean;
  readonly isChanged: boolean;
  readonly onDiscard: () => void;
}

function Publishing({ machine, version, body, active, isChanged, onDiscard }: PublishingProps): ReactElement | null {
  const t = useWords(MACHINES);
  const { app } = useDiscovery();
  const navigate = useNavigate();
  const reload = useReload();
  const { change } = useWrites<Machine>('state-machines');
  // Another's publish while this page stands open is noticed, not overwritten.
  const [edited] = useState(version);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  if (!isChanged) return null;
  const run = async (): Promise<void> => {
    const written = await change(machine.id, { definition: body, active }, edited);
    await navigate(`/t/${app.name}/_machines/${machine.id}`, { state: savedState(written), replace: true });
    await reload();
  };
  const publish = (): void => {
    setBusy(true);
    setError(undefined);
    run().catch((refused: unknown) => (setError(refused), setBusy(false)));
  };
  return (
    <div>
      <Problem error={error} />
      <Alert
        severity="info"
        sx={{ alignItems: 'center' }}
        action={
          <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
            <Button size="small" color="inherit" onClick={onDiscard}>
              {t('discard')}
            </Button>
            <Button size="small" variant="contained" disabled={isBusy} onClick={publish}>
              {t('publish')}
            </Button>
          </Stack>
        }
      >
        {t('changed')}
      </Alert>
    </div>
  );
}

interface DeleteMachineProps {
  readonly machine: Listed<Machine>;
  readonly label: string;
  readonly onClose: () => void;
}

function DeleteMachine({ machine, label, onClose }: DeleteMachineProps): ReactElement {
  const t = useWords(MACHINES);
  const { app } = useDiscovery();
  const navigate = useNavigate();
  const reload = useReload();
  const { remove } = useWrites<Machine>('state-machines');
  const run = async (): Promise<void> => {
    const written = await remove(machine.id);
    await navigate(`/t/${app.name}/_machines`, { state: savedState(written) });
    await reload();
  };
  return (
    <Confirm
      title={t('delete_machine_title', { machine: label })}
      action={t('delete_machine')}
      isDestructive
      typed={machine.field}
      onConfirm={run}
      onClose={onClose}
    >
      {t('delete_machine_says')}
    </Confirm>
  );
}
