import { describe, expect, it } from 'vitest';
import { compileScopes, scopeProblem } from '../../../core/policy/scopes.ts';

describe('scopes', () => {
  it.each([
    [['ticket:read'], 'ticket', 'read', true],
    [['ticket:read'], 'ticket', 'update', false],
    [['ticket:read'], 'customer', 'read', false],
    [['ticket:*'], 'ticket', 'delete', true],
    [['ticket:write'], 'ticket', 'create', true],
    [['ticket:write'], 'ticket', 'read', false],
    [['*:read'], 'anything', 'read', true],
    [['*:read'], 'anything', 'create', false],
    [['*:*'], 'anything', 'delete', true],
    [['_admin:*'], 'ticket', 'read', false],
    [['nonsense', 'ticket:fly', ''], 'ticket', 'read', false],
    [[], 'ticket', 'read', false],
  ] as const)('%j on %s %s: %s', (scopes, entity, action, expected) => {
    expect(compileScopes(scopes).allowsRecords(entity, action)).toBe(expected);
  });

  it.each([
    [['*:*'], 'read', false],
    [['*:read'], 'read', false],
    [['_admin:read'], 'read', true],
    [['_admin:read'], 'write', false],
    [['_admin:*'], 'write', true],
    [['_workflows:*'], 'read', false],
  ] as const)('%j on _admin %s: %s', (scopes, action, expected) => {
    expect(compileScopes(scopes).allowsPart('_admin', action)).toBe(expected);
  });

  it('has one key for equal sets', () => {
    expect(compileScopes(['b:read', 'a:*']).key).toBe(compileScopes(['a:*', 'b:read', 'b:read']).key);
  });

  it.each([
    '',
    'ticket',
    'ticket:',
    ':read',
    'Ticket:read',
    'ticket:fly',
    '_admin:create',
    '__proto__:read',
    'a b:read',
    'ticket:read\n',
    '*',
  ])('refuses %j', (scope) => expect(scopeProblem(scope)).toBeDefined());
});
