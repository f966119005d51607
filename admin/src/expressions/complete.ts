/** What may be written next: members of the path before the cursor, values of the field compared with, names and functions. */
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import type { DiscoveredEntity } from '../discovery.ts';
import type { Locale } from '../i18n/locale.ts';
import { FUNCTION_HELP } from './functions.ts';
import { ACTIONS, entityOf, follow, followsRelations, ROOTS_AT, USER_MEMBERS, valuesOf, type Scope, type Spot } from './scope.ts';
import type { EXPRESSION } from './words.ts';
import type { Translate } from '../i18n/words.ts';

type Tell = Translate<keyof (typeof EXPRESSION)['byLocale']['en']>;

const PATH = /[\p{L}_$][\p{L}\p{N}_$]*(?:\??\.[\p{L}\p{N}_$]*)*$/u;
/** A path and an operator before a value that is being written, in quotes or not yet. */
const COMPARED =
  /([\p{L}_][\p{L}\p{N}_]*(?:\??\.[\p{L}\p{N}_]+)*)\s*(?:===?|!==?|<>|=|\bnot\s+in\s*\[[^\]]*|\bin\s*\[[^\]]*)\s*(['"]?)([^'"\s]*)$/u;

/** `scope` is asked each time: the entity of a form may change while its editor stands. */
export const completionOf =
  (scope: () => Scope, locale: Locale, t: Tell): CompletionSource =>
  (context) =>
    complete(context, scope(), locale, t);

function complete(context: CompletionContext, scope: Scope, locale: Locale, t: Tell): CompletionResult | null {
  const before = context.state.sliceDoc(0, context.pos);
  const values = comparedValues(before, scope);
  if (values !== null) return values;
  // Within a text there is nothing to offer.
  if (isInText(before)) return null;
  const path = PATH.exec(before)?.[0] ?? '';
  if (path === '' && !context.explicit) return null;
  const names = path.replaceAll('?.', '.').split('.');
  const typed = names.at(-1) ?? '';
  const from = context.pos - typed.length;
  const options = names.length > 1 ? membersOf(scope, follow(scope, names.slice(0, -1)), t) : firstNames(scope, before, locale, t);
  return options.length === 0 ? null : { from, options, validFor: /^[\p{L}\p{N}_$]*$/u };
}

function comparedValues(before: string, scope: Scope): CompletionResult | null {
  const found = COMPARED.exec(before);
  if (found === null) return null;
  const [, path = '', quote = '', typed = ''] = found;
  const spot = follow(scope, path.replaceAll('?.', '.').split('.'));
  const values = spot.kind === 'action' ? ACTIONS : spot.kind === 'field' ? valuesOf(spot.entity, spot.field) : [];
  if (values.length === 0) return null;
  return {
    from: before.length - typed.length - quote.length,
    options: values.map((value) => ({ label: typeof value === 'string' ? `'${value}'` : String(value), type: 'enum' })),
    filter: quote === '',
  };
}

/** An odd number of the quote that was opened first stands before the cursor. */
function isInText(before: string): boolean {
  let open = '';
  for (let at = 0; at < before.length; at++) {
    const sign = before.charAt(at);
    if (open !== '' && sign === '\\') at++;
    else if (sign === open) open = '';
    else if (open === '' && ['"', "'"].includes(sign)) open = sign;
  }
  return open !== '';
}

function membersOf(scope: Scope, spot: Spot, t: Tell): Completion[] {
  switch (spot.kind) {
    case 'user':
      return USER_MEMBERS.map((label) => ({ label, type: 'property', detail: t(`user_${label}`) }));
    case 'related':
      return relationsOf(entityOf(scope), scope.related);
    case 'record':
      return [...fieldsOf(spot.entity), ...(followsRelations(scope) ? relationsOf(spot.entity) : [])];
    default:
      return [];
  }
}

const fieldsOf = (entity: DiscoveredEntity, boost = 0): Completion[] =>
  entity.fields.map((field) => ({
    label: field.name,
    type: 'property',
    boost,
    detail: field.references ?? field.type,
    ...(field.description === null ? {} : { info: field.description }),
  }));

/** All of them, or those that are loaded. */
const relationsOf = (entity: DiscoveredEntity | undefined, loaded?: readonly string[]): Completion[] =>
  (entity?.relations ?? [])
    .filter(({ names, name }) => loaded === undefined || loaded.some((each) => each === name || names.includes(each)))
    .map(({ names, name, target, cardinality }) => ({
      label: loaded?.find((each) => each === name || names.includes(each)) ?? names[0] ?? name,
      type: 'class',
      detail: cardinality === 'many' ? `${target}[]` : target,
    }));

function firstNames(scope: Scope, before: string, locale: Locale, t: Tell): Completion[] {
  const own = entityOf(scope);
  const item = itemAt(before, scope);
  return [
    ...(item === undefined ? [] : fieldsOf(item, 3)),
    ...ROOTS_AT[scope.place].map((label) => ({ label, type: 'variable', boost: 2, detail: t(`root_${label}`) })),
    ...(own === undefined || item !== undefined ? [] : fieldsOf(own, 1)),
    ...['and', 'or', 'not', 'in', 'true', 'false', 'null'].map((label) => ({ label, type: 'keyword' })),
    ...Object.entries(FUNCTION_HELP)
      .filter(([, { isInSql }]) => isInSql || scope.place !== 'policy')
      .map(([name, { signature, says }]) => ({
        label: name,
        type: 'function',
        detail: signature.slice(name.length),
        info: says[locale],
        apply: `${name}(`,
      })),
  ];
}

/** Inside `related.items[…]` or `related.items.(…)` bare names are those of an item. */
function itemAt(before: string, scope: Scope): DiscoveredEntity | undefined {
  let depth = 0;
  for (let at = before.length - 1; at >= 0; at--) {
    const sign = before.charAt(at);
    if (sign === ')' || sign === ']') depth++;
    if (sign !== '(' && sign !== '[') continue;
    if (depth > 0) depth--;
    else {
      const path = PATH.exec(before.slice(0, at).replace(/\.$/, ''))?.[0] ?? '';
      const spot = follow(scope, path.replaceAll('?.', '.').split('.'));
      if (spot.kind === 'record' && path.includes('.')) return spot.entity;
    }
  }
  return undefined;
}
