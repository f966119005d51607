/** An expression judged as it is typed, by the very code that will run it: mistakes at their places, and its value for a sample. */
import { nearestNames } from '../../../core/errors.ts';
import { compileExpression, isTrue, type CompiledExpression, type ExpressionScope } from '../../../core/expression/expression.ts';
import { AppError } from '../../../core/errors.ts';
import { entityOf, ROOTS_AT, type Scope } from './scope.ts';
import type { EXPRESSION } from './words.ts';
import type { Translate } from '../i18n/words.ts';

type Tell = Translate<keyof (typeof EXPRESSION)['byLocale']['en']>;

export interface Trouble {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

export interface Judged {
  /** Undefined while it cannot be read. */
  readonly compiled: CompiledExpression | undefined;
  readonly troubles: readonly Trouble[];
}

export function judge(text: string, scope: Scope, t: Tell): Judged {
  if (text.trim() === '') return { compiled: undefined, troubles: [] };
  try {
    const compiled = compileExpression(text);
    return { compiled, troubles: [...foreignVariables(text, compiled, scope, t), ...unknownFields(text, compiled, scope, t)] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const position = Number(error.details?.[0]?.['position'] ?? 1) - 1;
    const message = error.details?.[0]?.message ?? error.message;
    const from = Math.min(Math.max(position, 0), text.length);
    const length = /^[\p{L}\p{N}_$]+|^./u.exec(text.slice(from))?.[0].length ?? 0;
    return {
      compiled: undefined,
      troubles: [
        {
          // At the end of the text there is no sign to mark: the last one is.
          from: length === 0 ? Math.max(from - 1, 0) : from,
          to: from + length,
          severity: 'error',
          message: `${message}${error.hint === undefined ? '' : ` ${error.hint}`}`,
        },
      ],
    };
  }
}

/** Variables that mean nothing here; a policy has no `old`, an SLA no `user`. */
function foreignVariables(text: string, compiled: CompiledExpression, { place }: Scope, t: Tell): Trouble[] {
  if (!compiled.isCommon) {
    const isRefused = place !== 'rule' && place !== 'workflow';
    const message = t('not_common', { construct: compiled.uncommonConstruct ?? '' });
    return isRefused ? [{ from: 0, to: text.length, severity: 'error', message }] : [];
  }
  const known: readonly string[] = ROOTS_AT[place];
  return [...compiled.roots]
    .filter((root) => !known.includes(root))
    .map((root) => ({ ...placeOf(text, root), severity: 'error', message: t('not_here', { name: root, known: known.join(', ') }) }));
}

/** Legal, and nearly always a slip: what the record does not have is null for ever. */
function unknownFields(text: string, compiled: CompiledExpression, scope: Scope, t: Tell): Trouble[] {
  const entity = entityOf(scope);
  if (entity === undefined) return [];
  const names = [...entity.fields.map(({ name }) => name), ...entity.relations.flatMap((relation) => [relation.name, ...relation.names])];
  const read = compiled.paths.flatMap(({ root, path: [first] }) => (root === 'record' || root === 'old' ? (first ?? []) : []));
  return [...new Set(read)]
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearestNames(name, names).slice(0, 3);
      const hint = near.length === 0 ? '' : ` ${t('did_you_mean', { names: near.join(', ') })}`;
      return { ...placeOf(text, name), severity: 'warning', message: `${t('no_field', { name, entity: entity.name })}${hint}` };
    });
}

function placeOf(text: string, name: string): { from: number; to: number } {
  const found = new RegExp(`(?<![\\p{L}\\p{N}_'"])${name.replaceAll('$', '\\$')}(?![\\p{L}\\p{N}_])`, 'u').exec(text);
  const from = found?.index ?? 0;
  return { from, to: found === null ? text.length : from + name.length };
}

export type Evaluated =
  | { readonly kind: 'value'; readonly value: unknown; readonly isTrue: boolean }
  | { readonly kind: 'server' }
  | { readonly kind: 'error'; readonly message: string };

/** `server`: it reads related records or is whole JSONata, which only the server knows and runs. */
export function evaluate(compiled: CompiledExpression, sample: ExpressionScope): Evaluated {
  if (!compiled.isCommon || compiled.roots.has('related')) return { kind: 'server' };
  try {
    const value = compiled.evaluate(sample);
    return { kind: 'value', value, isTrue: isTrue(value) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'error', message: error.message };
  }
}
