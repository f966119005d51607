import { expect, it } from 'vitest';
import type { EntityModel } from '../../../core/model/model.ts';
import { invalid } from '../../../operations/records/write-result.ts';

const ticket = { name: 'ticket' } as EntityModel;
const messageFor = (...messages: string[]): string =>
  invalid(
    ticket,
    messages.map((message) => ({ rule: 'x', message })),
  ).message;

it('a refusal ends in one full stop, whatever the rules say', () => {
  expect(messageFor('title is required')).toBe('The ticket is not valid: title is required.');
  expect(messageFor('The title needs at least 5 characters.')).toBe('The ticket is not valid: The title needs at least 5 characters.');
  expect(messageFor('Too short!')).toBe('The ticket is not valid: Too short!');
  expect(messageFor('The title is short.', 'b', 'c')).toBe('The ticket is not valid: The title is short (and 2 more).');
});
