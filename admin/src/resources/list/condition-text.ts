import { operandsOf, type Condition } from '../../fields/conditions.ts';
import { choiceWord, plainText, type FieldTranslate } from '../../fields/values.ts';
import type { DiscoveredField } from '../../discovery.ts';
import type { Format } from '../../i18n/format.ts';
import type { Translate } from '../../i18n/words.ts';

type Words = FieldTranslate & Translate<'and' | 'unit_h' | 'unit_d' | 'unit_w'>;

/** The values of a condition as a chip shows them; those of a relation are given by their titles. */
export function valuesText(
  field: DiscoveredField,
  { op, values }: Condition,
  titles: ReadonlyMap<string, string>,
  format: Format,
  t: Words,
): string {
  const one = (value: string): string => titles.get(value) ?? (field.references === null ? readable(field, value, format, t) : value);
  switch (operandsOf(op)) {
    case 'none':
      return '';
    case 'span':
      return spanText(values[0] ?? '', t);
    case 'two':
      return t('and', { first: one(values[0] ?? ''), second: one(values[1] ?? '') });
    case 'many':
    case 'one':
      return values.map(one).join(', ');
  }
}

function readable(field: DiscoveredField, value: string, format: Format, t: Words): string {
  if (field.enum !== null) return choiceWord(value);
  if (field.type === 'boolean') return t(value === 'true' ? 'yes' : 'no');
  if (field.type === 'json') return value;
  if (field.type === 'timestamp' || field.type === 'date')
    return Number.isNaN(Date.parse(value)) ? value : plainText(field, value, format, t);
  return plainText(field, value, format, t);
}

/** `7d`: 7 days. */
export function spanText(span: string, t: Translate<'unit_h' | 'unit_d' | 'unit_w'>): string {
  const count = Number.parseInt(span, 10);
  const unit = span.at(-1);
  return t(unit === 'h' ? 'unit_h' : unit === 'w' ? 'unit_w' : 'unit_d', count);
}
