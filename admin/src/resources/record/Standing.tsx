/** At the top of a record: what waits for a decision about it, and its clocks. */
import { Stack } from '@mui/material';
import type { ReactElement } from 'react';
import { useRecordContext } from 'react-admin';
import { appPath, useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { ApprovalCard } from '../../pages/approvals/ApprovalCard.tsx';
import type { Run } from '../../pages/runs/run.ts';
import { CLOCKS } from '../../pages/clocks/words.ts';
import { CLOCK_TONES, shownState, type Clock } from '../../pages/clocks/clock.ts';
import { Status } from '../../ui/Status.tsx';
import type { EntityProps } from '../shape.ts';
import { recordPath } from './path.ts';
import { RECORD } from './words.ts';

const LIVE_MS = 10_000;

export default function Standing({ discovery, entity }: EntityProps): ReactElement | null {
  const t = useWords(RECORD);
  const record = useRecordContext();
  const of =
    record === undefined ? undefined : `entity=${encodeURIComponent(entity.name)}&record_id=${encodeURIComponent(String(record.id))}`;
  const runs = useRead<{ data: readonly Run[] }>(
    of === undefined ? undefined : `${appPath(discovery.app.name)}/_workflows?status=running&${of}`,
    {
      every: LIVE_MS,
    },
  );
  const open = (runs.data?.data ?? []).flatMap((run) => run.tasks.map((task) => ({ run, task })));
  if (record === undefined) return null;
  return (
    <Stack spacing={2} sx={{ width: '100%' }}>
      <Clocks path={`${recordPath(discovery, entity, record.id)}/_slas`} />
      {open.length === 0 ? null : (
        <Stack component="section" aria-label={t('waiting')} spacing={1}>
          {open.map(({ run, task }) => (
            <ApprovalCard key={task.id} run={run} task={task} isWithinRun />
          ))}
        </Stack>
      )}
    </Stack>
  );
}

function Clocks({ path }: { readonly path: string }): ReactElement | null {
  const t = useWords(RECORD);
  const clock = useWords(CLOCKS);
  const format = useFormat();
  const { data } = useRead<{ data: readonly Clock[] }>(path, { every: LIVE_MS });
  const clocks = data?.data ?? [];
  if (clocks.length === 0) return null;
  const left = ({ remaining_ms: ms }: Clock): string =>
    ms === null ? '' : ` · ${clock(ms < 0 ? 'late' : 'time_left', { time: format.duration(Math.abs(ms)) })}`;
  return (
    <Stack direction="row" spacing={1} useFlexGap role="group" aria-label={t('clocks')} sx={{ flexWrap: 'wrap' }}>
      {clocks.map((one) => (
        <Status key={one.id} tone={CLOCK_TONES[shownState(one)]} label={`${one.sla}: ${clock(shownState(one))}${left(one)}`} />
      ))}
    </Stack>
  );
}
