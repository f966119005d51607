import { describe, expect, it } from 'vitest';
import { decideMove, statesOf, type MoveRequest } from '../../../core/machine/machine.ts';
import { stateMachineSchema } from '../../../core/model/document.ts';

const machine = stateMachineSchema.parse({
  entity: 'ticket',
  field: 'status',
  definition: {
    initial: 'open',
    transitions: [
      { from: ['open', 'waiting'], to: 'closed', roles: ['Agent'] },
      { from: 'open', to: 'closed', roles: ['boss'], guard: 'record.urgent' },
      { from: 'open', to: 'waiting', guard: 'record.reason' },
      { from: '*', to: 'void', actions: [{ type: 'set_field', field: 'voided_at', value: 'now' }] },
    ],
  },
});
const ask = (request: Partial<MoveRequest>) =>
  decideMove(machine, {
    from: 'open',
    to: 'closed',
    roles: [],
    passesRoles: false,
    passesMissing: false,
    isGuardTrue: () => false,
    ...request,
  });

describe('a state machine', () => {
  it('knows all its states', () => {
    expect([...statesOf(machine)].sort()).toEqual(['closed', 'open', 'void', 'waiting']);
  });

  it('starts only in its initial state, unless the system says otherwise', () => {
    expect(ask({ from: undefined, to: 'open' }).kind).toBe('allowed');
    expect(ask({ from: undefined, to: 'closed' })).toMatchObject({ kind: 'refused', detail: { rule: 'state_machine', allowed: ['open'] } });
    expect(ask({ from: undefined, to: 'closed', passesMissing: true }).kind).toBe('allowed');
  });

  it('does not look at a state that stays', () => {
    expect(ask({ to: 'open' }).kind).toBe('unchanged');
  });

  it('compares roles without regard to case, and tries every transition between the two states', () => {
    expect(ask({ roles: ['agent'] }).kind).toBe('allowed');
    expect(ask({ roles: ['boss'] })).toMatchObject({ kind: 'refused', detail: { rule: 'guard' } });
    expect(ask({ roles: ['boss'], isGuardTrue: () => true }).kind).toBe('allowed');
    expect(ask({ roles: ['guest'] })).toMatchObject({ kind: 'forbidden', detail: { roles: ['Agent', 'boss'] } });
    expect(ask({ roles: ['guest'], passesRoles: true }).kind).toBe('allowed');
  });

  it('names what would be possible, and hands out the actions of the transition taken', () => {
    expect(ask({ from: 'closed', to: 'open' })).toMatchObject({
      kind: 'refused',
      detail: { rule: 'transition', from: 'closed', to: 'open', allowed: ['void'] },
    });
    expect(ask({ from: 'closed', to: 'void' })).toMatchObject({ kind: 'allowed', actions: [{ field: 'voided_at' }] });
    expect(ask({ to: null }).kind).toBe('refused');
  });

  it('takes an old record without a state as one in the initial state', () => {
    expect(ask({ from: null, to: 'open' }).kind).toBe('allowed');
    expect(ask({ from: null, to: 'void' }).kind).toBe('allowed');
    expect(ask({ from: null, to: 'lost' }).kind).toBe('refused');
  });
});
