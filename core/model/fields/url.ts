/** `url`: an absolute http or https address. */
import { refused, type FieldKind } from './field-kind.ts';
import { coerceText, stringField } from './string.ts';

const URL_SHAPE = /^https?:\/\/(?:[^\s/?#@\\]+@)?(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(?::(\d{1,5}))?(?:[/?#]\S*)?$/iu;

/** An absolute http(s) address with a host; the address itself is never called by this check. */
export function isUrl(text: string): boolean {
  const match = text.length > 2000 ? null : URL_SHAPE.exec(text);
  return match !== null && (match[2] === undefined || Number(match[2]) <= 65_535);
}

export const urlField: FieldKind = {
  ...stringField,
  coerce(field, value) {
    const text = coerceText(field, value);
    if (text.ok && !isUrl(value as string)) return refused(field, 'url', 'must be an address beginning with http:// or https://');
    return text;
  },
  input: 'url',
};
