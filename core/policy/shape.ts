/**
 * A policy without its caller: what is the same for everybody whose access has the same form, and the caller's values beside
 * it. Statements are kept under `key`; `open` puts places into them where `values` belong.
 */
import type { EntityModel } from '../model/model.ts';
import { opened, render } from '../sql/sql.ts';
import { FULL_ACCESS, NO_ACCESS, type Access, type FieldAccess } from './access.ts';

export interface AccessShape {
  /** Short. The same for two accesses only if every part of SQL they make differs in values alone. */
  readonly key: string;
  readonly values: readonly unknown[];
  /** The access with places for `values`, the first at `from`. Its SQL can be kept but not run. */
  open(from: number): Access;
}

const shapes = new WeakMap<Access, AccessShape>();

/** `access` is the one to `entity`. An access that is bound once per caller is looked at once. */
export function shapeOf(access: Access, entity: EntityModel): AccessShape {
  let shape = shapes.get(access);
  if (shape === undefined) shapes.set(access, (shape = makeShape(access, entity)));
  return shape;
}

function makeShape(access: Access, entity: EntityModel): AccessShape {
  // These two belong to no entity, and hold no value.
  if (access === FULL_ACCESS || access === NO_ACCESS) return { key: access.key, values: [], open: () => access };
  const values: unknown[] = [];
  const offsets = new Map<string, number>();
  let text = access.key;
  const add = (name: string, part: ReturnType<Access['where']>): void => {
    if (part === undefined) return;
    const rendered = render(part);
    offsets.set(name, values.length);
    values.push(...rendered.values);
    text += `\n${name}: ${rendered.text}`;
  };
  add(ROWS, access.where('t'));
  for (const name of entity.fields.keys()) add(name, conditionOf(access, name, 't'));
  return {
    key: numberOf(text),
    values,
    open: (from) => (values.length === 0 ? access : openAccess(access, (name) => from + (offsets.get(name) ?? 0))),
  };
}

/** No field can be called so. */
const ROWS = '*';

const conditionOf = (access: Access, name: string, alias: string): ReturnType<Access['where']> => {
  const field = access.field(name);
  return field.mode === 'conditional' ? field.when?.(alias) : undefined;
};

/** The parts of an access have the same values in the same order under every alias. */
function openAccess(access: Access, placeOf: (name: string) => number): Access {
  return {
    ...access,
    where(alias) {
      const part = access.where(alias);
      return part === undefined ? undefined : opened(part, placeOf(ROWS));
    },
    field(name): FieldAccess {
      const field = access.field(name);
      const when = field.when?.bind(field);
      return field.mode !== 'conditional' || when === undefined
        ? field
        : { mode: 'conditional', when: (alias) => opened(when(alias), placeOf(name)) };
    },
  };
}

const MAX_TEXTS = 10_000;
const numbers = new Map<string, string>();
let counter = 0;

/** A short name for a text. Numbers are never used twice, so forgetting them only costs memory of what was kept under them. */
function numberOf(text: string): string {
  let number = numbers.get(text);
  if (number === undefined) {
    if (numbers.size >= MAX_TEXTS) numbers.clear();
    number = `p${(counter++).toString(36)}`;
    numbers.set(text, number);
  }
  return number;
}
