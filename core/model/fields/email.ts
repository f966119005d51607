/** `email`: an address mail can be sent to; the text is kept as it was typed. */
import { refused, type FieldKind } from './field-kind.ts';
import { coerceText, stringField } from './string.ts';

const LOCAL = /^[^\s@<>()[\]\\,;:"]{1,64}$/;
const LABEL = /^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** One `@`, a sensible local part, a domain of labels. Whether the mailbox exists only a mail can tell. */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || text.length > 254) return false;
  const local = text.slice(0, at);
  const labels = text.slice(at + 1).split('.');
  return (
    LOCAL.test(local) &&
    !local.startsWith('.') &&
    !local.endsWith('.') &&
    !local.includes('..') &&
    labels.every((label) => LABEL.test(label))
  );
}

export const emailField: FieldKind = {
  ...stringField,
  coerce(field, value) {
    const text = coerceText(field, value);
    if (text.ok && !isEmail(value as string)) return refused(field, 'email', 'must be an email address like name@example.com');
    return text;
  },
  input: 'email',
};
