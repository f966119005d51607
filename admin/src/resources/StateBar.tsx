/** The states of a record and the moves its machine allows from here, one button each; the API decides whether they count. */
import { Button, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useRecordContext, useRefresh, useResourceContext, useUpdate, type RaRecord } from 'react-admin';
import type { DiscoveredEntity, DiscoveredMachine, Discovery } from '../discovery.ts';
import { ChoiceChip } from '../fields/ChoiceChip.tsx';
import { choiceWord } from '../fields/values.ts';
import { useWords } from '../i18n/words.ts';
import { useSay } from '../ui/say.ts';
import { RECORD } from './record/words.ts';
import type { EntityProps } from './shape.ts';

export function StateBar({ entity, discovery }: EntityProps): ReactElement | null {
  const record = useRecordContext();
  if (record === undefined || entity.state_machines.length === 0) return null;
  return (
    <Stack spacing={1}>
      {entity.state_machines.map((machine) => (
        <Machine key={machine.field} entity={entity} discovery={discovery} machine={machine} record={record} />
      ))}
    </Stack>
  );
}

interface MachineProps extends EntityProps {
  readonly machine: DiscoveredMachine;
  readonly record: RaRecord;
}

function Machine({ entity, discovery, machine, record }: MachineProps): ReactElement {
  const t = useWords(RECORD);
  const resource = useResourceContext() ?? entity.name;
  const say = useSay();
  const refresh = useRefresh();
  const [update, { isPending }] = useUpdate();
  const state: unknown = record[machine.field];
  const label = labelOf(entity, machine.field);
  const moves = entity.permissions.update ? machine.transitions.filter((transition) => transition.from.includes(String(state))) : [];
  const move = (to: string): void => {
    void update(
      resource,
      { id: record.id, data: { ...record, [machine.field]: to }, previousData: record },
      {
        mutationMode: 'pessimistic',
        onSuccess: () => {
          say(t('moved', { field: label, state: choiceWord(to) }), 'success');
          refresh();
        },
        onError: (error) => say(error instanceof Error ? error.message : String(error), 'error'),
      },
    );
  };
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <Typography variant="body2">{label}</Typography>
      <ChoiceChip value={state ?? '–'} />
      {moves.map(({ to, roles }) => {
        const mayMove = mayTake(roles, discovery);
        const hint = mayMove ? t('move_to', { state: choiceWord(to) }) : t('needs_role', { roles: roles.join(', ') });
        return (
          <Button key={to} size="small" variant="outlined" disabled={isPending || !mayMove} title={hint} onClick={() => move(to)}>
            {choiceWord(to)}
          </Button>
        );
      })}
    </Stack>
  );
}

const labelOf = (entity: DiscoveredEntity, name: string): string => entity.fields.find((field) => field.name === name)?.label ?? name;

function mayTake(roles: readonly string[], discovery: Discovery): boolean {
  if (roles.length === 0 || discovery.user.is_admin) return true;
  const own = new Set(discovery.user.roles.map((role) => role.toLowerCase()));
  return roles.some((role) => own.has(role.toLowerCase()));
}
