/** What of a run may stand in its log: no secret, no hidden field, and nothing long. */
import type { CompiledAttachment } from '../../core/functions/attachment.ts';
import type { FunctionSpec } from '../../core/functions/function.ts';
import { fieldsReadBy } from '../../core/functions/values.ts';
import type { EntityModel } from '../../core/model/model.ts';

const COVER = '•••';
const MAX_TEXT = 500;
const MAX_BYTES = 4_000;

/** The parameters of a function, or the record of a script. */
export function redactedInput(one: CompiledAttachment, entity: EntityModel, input: Readonly<Record<string, unknown>>): unknown {
  const isHidden = (field: string): boolean => entity.fields.get(field)?.definition.hidden === true;
  if (one.spec === undefined)
    return cut(Object.fromEntries(Object.entries(input).map(([name, value]) => [name, isHidden(name) ? COVER : value])));
  const covered = new Set(one.params.filter(([, value]) => fieldsReadBy(value).some(isHidden)).map(([name]) => name));
  return redactedParams(one.spec, input, covered);
}

export const redactedParams = (
  spec: FunctionSpec,
  params: Readonly<Record<string, unknown>>,
  covered: ReadonlySet<string> = new Set(),
): unknown =>
  cut(
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => {
        const isCovered = covered.has(name) || (spec.secrets ?? []).includes(name);
        return [name, isCovered && value !== null && value !== undefined ? COVER : value];
      }),
    ),
  );

/** Long texts end early; what is too much as a whole is only told of. */
export function cut(value: unknown): unknown {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' && member.length > MAX_TEXT ? `${member.slice(0, MAX_TEXT)}…` : member,
  );
  if (text === undefined) return null;
  // Postgres keeps no zero character in json.
  const stored = text.replaceAll('\\u0000', '');
  return stored.length > MAX_BYTES ? { cut: `${String(stored.length)} characters` } : (JSON.parse(stored) as unknown);
}
