/** The states of a record and the moves its machine allows from here, one button each; the API decides whether they count. */
import { Button, Chip, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useNotify, useRecordContext, useRefresh, useResourceContext, useUpdate, type RaRecord } from 'react-admin';
import type { DiscoveredEntity, Discovery } from '../discovery.ts';
import { spaced } from '../ui/spaced.ts';

export function StateBar({ entity, discovery }: { readonly entity: DiscoveredEntity; readonly discovery: Discovery }): ReactElement | null {
  const record = useRecordContext();
  const resource = useResourceContext() ?? entity.name;
  const notify = useNotify();
  const refresh = useRefresh();
  const [update, { isPending }] = useUpdate();
  if (record === undefined || entity.state_machines.length === 0) return null;

  const move = (before: RaRecord, field: string, to: string): void => {
    void update(
      resource,
      { id: before.id, data: { ...before, [field]: to }, previousData: before },
      {
        mutationMode: 'pessimistic',
        onSuccess: () => {
          notify(`${field} is now ${to}`, { type: 'success' });
          refresh();
        },
        onError: (error) => notify(error instanceof Error ? error.message : 'The move was refused.', { type: 'error' }),
      },
    );
  };

  return (
    <Stack spacing={1}>
      {entity.state_machines.map((machine) => {
        const state = String((record[machine.field] as string | null) ?? '–');
        const moves = machine.transitions.filter((transition) => transition.from.includes(state));
        return (
          <Stack key={machine.field} direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
            <Typography variant="body2">{spaced(machine.field)}</Typography>
            <Chip size="small" color="primary" label={state} />
            {entity.permissions.update
              ? moves.map((transition) => {
                  const mayMove = mayTake(transition.roles, discovery);
                  return (
                    <Button
                      key={transition.to}
                      size="small"
                      variant="outlined"
                      disabled={isPending || !mayMove}
                      title={mayMove ? `Move to ${transition.to}` : `Needs the role ${transition.roles.join(' or ')}`}
                      onClick={() => move(record, machine.field, transition.to)}
                    >
                      {spaced(transition.to)}
                    </Button>
                  );
                })
              : null}
          </Stack>
        );
      })}
    </Stack>
  );
}

function mayTake(roles: readonly string[], discovery: Discovery): boolean {
  if (roles.length === 0 || discovery.user.is_admin) return true;
  const own = new Set(discovery.user.roles.map((role) => role.toLowerCase()));
  return roles.some((role) => own.has(role.toLowerCase()));
}
