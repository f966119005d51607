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
const request: MoveRequest = {
  from: 'open',
  to: 'closed',
  roles: [],
  passesRoles: false,
  passesMissing: false,
  isGuardTrue: () => false,
};
const ask = (given: Partial<MoveRequest>) => decideMove(machine, { ...request, ...given });

describe('a state machine', () => {
  it('knows all its states', () => {
    expect([...statesOf(machine)].sort()).toEqual(['closed', 'open', 'void', 'waiting']);
  });

  it('starts only in its initial state, unless the system says otherwise', () => {
    expect(ask({ from: undefined, to: 'open' }).kind).toBe('allowed');
    expect(ask({ from: undefined, to: 'closed' })).toMatchObject({ kind: 'refused', detail: { rule: 'state_machine', allowed: ['open'] } });
    expect(ask({ from: undefined, to: 'closed', passesMissing: true }).kind).toBe('allowed');
  });

  it('lets a record begin in every state its definition names as a start', () => {
    const wide = { ...machine, definition: { ...machine.definition, start: ['waiting', 'draft'] } };
    const begin = (to: string | null) => decideMove(wide, { ...request, from: undefined, to });
    expect([begin('open').kind, begin('waiting').kind, begin('draft').kind]).toEqual(['allowed', 'allowed', 'allowed']);
    expect(begin('closed')).toMatchObject({
      kind: 'refused',
      detail: { allowed: ['open', 'waiting', 'draft'], message: 'status must start as "open" or "waiting" or "draft", not "closed"' },
    });
    expect(begin(null).kind).toBe('refused');
    expect(statesOf(wide).has('draft')).toBe(true);
  });

  it('says what the definition says when a guard is false', () => {
    const [, urgent, waiting] = machine.definition.transitions;
    const spoken = {
      ...machine,
      definition: { ...machine.definition, transitions: [{ ...waiting!, message: 'Write down why it waits.' }, urgent!] },
    };
    expect(decideMove(spoken, { ...request, to: 'waiting' })).toMatchObject({
      kind: 'refused',
      detail: { rule: 'guard', message: 'Write down why it waits.' },
    });
    expect(decideMove(spoken, { ...request, to: 'closed', roles: ['boss'] })).toMatchObject({
      kind: 'refused',
      detail: { rule: 'guard', message: expect.stringContaining('condition of this transition is not met') as string },
    });
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
