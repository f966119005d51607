/** One record in the machine: how it came to its state, and where it may go from there, for whom. */
import { Box, Paper, Stack, Typography } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { appPath, useAsk, useRead } from '../../api/use-api.ts';
import { RecordInput } from '../../definitions/RecordInput.tsx';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import type { Listed } from '../../definitions/definitions.ts';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { arrowsOf, type Body, type Machine } from './machine.ts';
import { MACHINES } from './words.ts';
import { walkKey } from './walk-key.ts';

interface Event {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly label?: string; readonly email?: string } | null;
  readonly changes: Readonly<Record<string, { readonly old?: unknown; readonly new?: unknown }>>;
}

interface Move {
  readonly id: string;
  readonly at: string;
  readonly from: string | null;
  readonly to: string;
  readonly by: string | null;
}

export interface Walk {
  /** The oldest first. */
  readonly moves: readonly Move[];
  readonly visited: ReadonlySet<string>;
  readonly walked: ReadonlySet<string>;
  readonly error: unknown;
}

/** The changes of the machine's field in the record's history. */
export function useWalk({ entity, field }: Machine, record: string): Walk {
  const { app } = useDiscovery();
  const path = `${appPath(app.name)}/${encodeURIComponent(entity)}/${encodeURIComponent(record)}/_history?limit=200`;
  const history = useRead<{ readonly data: readonly Event[] }>(record === '' ? undefined : path);
  return useMemo(() => {
    const events = record === '' ? [] : (history.data?.data ?? []);
    const moves = events
      .flatMap(({ id, at, actor, changes }): Move[] => {
        const change = changes[field];
        if (typeof change?.new !== 'string') return [];
        const by = actor === null ? null : (actor.email ?? actor.label ?? actor.id);
        return [{ id, at, from: typeof change.old === 'string' ? change.old : null, to: change.new, by }];
      })
      .reverse();
    return {
      moves,
      visited: new Set(moves.flatMap(({ from, to }) => (from === null ? [to] : [from, to]))),
      walked: new Set(moves.flatMap(({ from, to }) => (from === null ? [] : [walkKey(from, to)]))),
      error: record === '' ? null : history.error,
    };
  }, [history.data, history.error, field, record]);
}

interface RecordPathProps {
  readonly machine: Listed<Machine>;
  readonly body: Body;
  readonly entity: DiscoveredEntity;
  readonly record: string;
  readonly walk: Walk;
  readonly onRecord: (id: string) => void;
}

export function RecordPath({ machine, body, entity, record, walk, onRecord }: RecordPathProps): ReactElement {
  const t = useWords(MACHINES);
  const { app } = useDiscovery();
  const [roles, setRoles] = useState<readonly string[]>([]);
  const stored = useRead<{ readonly data: Readonly<Record<string, unknown>> }>(
    record === '' ? undefined : `${appPath(app.name)}/${encodeURIComponent(entity.name)}/${encodeURIComponent(record)}`,
  );
  const old = record === '' ? undefined : stored.data?.data;
  return (
    <Paper variant="outlined" component="section" aria-label={t('path_title')} sx={{ p: 2 }}>
      <Typography component="h2" variant="h6">
        {t('path_title')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
        {t('path_hint')}
      </Typography>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start', mb: 2 }}>
        <RecordInput entity={entity} value={record} onChange={onRecord} />
        <RolesInput label={t('as_roles')} helperText={t('as_hint')} value={roles} onChange={setRoles} />
      </Box>
      <Problem error={walk.error ?? stored.error} />
      {old === undefined ? null : (
        <Stack spacing={2}>
          <Moves machine={machine} body={body} old={old} roles={roles} />
          <Way walk={walk} />
        </Stack>
      )}
    </Paper>
  );
}

function Way({ walk }: { readonly walk: Walk }): ReactElement {
  const t = useWords(MACHINES);
  if (walk.moves.length === 0) return <Typography variant="body2">{t('path_empty')}</Typography>;
  return (
    <Rows
      label={t('path_label')}
      rows={walk.moves}
      keyOf={({ id }) => id}
      columns={[
        { key: 'when', label: t('when'), cell: ({ at }) => <Time at={at} /> },
        { key: 'change', label: t('change'), cell: ({ from, to }) => (from === null ? t('began', { state: to }) : `${from} → ${to}`) },
        { key: 'by', label: t('by'), cell: ({ by }) => by ?? t('system') },
      ]}
    />
  );
}

interface MovesProps {
  readonly machine: Listed<Machine>;
  readonly body: Body;
  readonly old: Readonly<Record<string, unknown>>;
  readonly roles: readonly string[];
}

/** Each target, tried as a write of it would be judged: with the machine as it is drawn here. */
function Moves({ machine, body, old, roles }: MovesProps): ReactElement {
  const t = useWords(MACHINES);
  const held = old[machine.field];
  const state = typeof held === 'string' ? held : body.initial;
  const targets = [...new Set(arrowsOf(body).flatMap(({ from, to }) => (from === state && to !== state ? [to] : [])))];
  return (
    <div>
      <Typography variant="body2" sx={{ mb: 1 }}>
        {t('current', { state })}
      </Typography>
      {targets.length === 0 ? (
        <Typography variant="body2">{t('moves_none', { state })}</Typography>
      ) : (
        <Rows
          label={t('moves')}
          rows={targets}
          keyOf={(to) => to}
          columns={[
            { key: 'to', label: t('to'), cell: (to) => <strong>{to}</strong> },
            {
              key: 'outcome',
              label: t('outcome'),
              cell: (to) => <Verdict machine={machine} body={body} old={old} roles={roles} to={to} />,
            },
          ]}
        />
      )}
    </div>
  );
}

interface Tried {
  readonly data: {
    readonly results: readonly {
      readonly rule: string;
      readonly outcome: string;
      readonly field?: string;
      readonly message: string | null;
    }[];
  };
}

function Verdict({ machine, body, old, roles, to }: MovesProps & { readonly to: string }): ReactElement {
  const t = useWords(MACHINES);
  const { app } = useDiscovery();
  const question = useMemo(() => {
    const { id, entity, field, name } = machine;
    return {
      entity,
      old,
      record: { [field]: to },
      ...(roles.length === 0 ? {} : { as: { roles } }),
      drafts: [{ id, entity, field, ...(name === undefined ? {} : { name }), definition: body, active: true }],
    };
  }, [machine, body, old, roles, to]);
  const tried = useAsk<Tried>(`${appPath(app.name)}/_admin/rules/try`, question);
  if (tried.error !== null) return <span>{tried.error.message}</span>;
  if (tried.data === undefined) return <span>…</span>;
  const wrong = tried.data.data.results.find(
    ({ outcome, field }) => (outcome === 'violated' || outcome === 'error') && (field === machine.field || field === undefined),
  );
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <Status tone={wrong === undefined ? 'done' : 'failed'} label={t(wrong === undefined ? 'may' : 'may_not')} />
      {wrong?.message ?? ''}
    </Stack>
  );
}
