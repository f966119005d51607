/** Served rules and state machines for writes in an older shape: carried over by names, else as the older version said them. */
import type { RuleDefinition, SchemaDocument, StateMachineDefinition } from '../../model/document.ts';
import { olderExpression } from './expression.ts';
import type { OlderNames } from './names.ts';

export function olderRules(names: OlderNames, served: SchemaDocument, older: SchemaDocument): RuleDefinition[] {
  const dropped = new Set(names.dropped().map((entity) => entity.name));
  return [
    ...served.rules.flatMap(
      (rule) => translatedRule(names, rule) ?? older.rules.filter((one) => one.id !== undefined && one.id === rule.id),
    ),
    ...older.rules.filter((rule) => dropped.has(rule.entity)),
  ];
}

/** Undefined when it names what the older shape lacks. */
function translatedRule(names: OlderNames, rule: RuleDefinition): RuleDefinition | undefined {
  const entity = names.entity(rule.entity)?.name;
  if (entity === undefined) return undefined;
  const words = new Words(names, rule.entity);
  const told = (): RuleDefinition => {
    switch (rule.type) {
      case 'field': {
        const { field, fields, condition } = rule.definition;
        const definition = {
          ...rule.definition,
          field: words.field(field),
          ...(fields === undefined ? {} : { fields: fields.map((name) => words.field(name)) }),
          ...(condition === undefined ? {} : { condition: words.expression(condition) }),
        };
        return { ...rule, entity, definition };
      }
      case 'expression': {
        const { field, expression, related_load: load } = rule.definition;
        const definition = {
          ...rule.definition,
          expression: words.expression(expression),
          ...(field === undefined ? {} : { field: words.field(field) }),
          related_load: load.map((one) => words.load(one)),
        };
        return { ...rule, entity, definition };
      }
      case 'computed': {
        const { field, expression, related_load: load } = rule.definition;
        const definition = {
          field: words.field(field),
          expression: words.expression(expression),
          related_load: load.map((one) => words.load(one)),
        };
        return { ...rule, entity, definition };
      }
    }
  };
  return words.all(told);
}

export function olderMachines(names: OlderNames, served: SchemaDocument, older: SchemaDocument): StateMachineDefinition[] {
  const dropped = new Set(names.dropped().map((entity) => entity.name));
  return [
    ...served.state_machines.flatMap(
      (machine) => translatedMachine(names, machine) ?? older.state_machines.filter((one) => one.id !== undefined && one.id === machine.id),
    ),
    ...older.state_machines.filter((machine) => dropped.has(machine.entity)),
  ];
}

function translatedMachine(names: OlderNames, machine: StateMachineDefinition): StateMachineDefinition | undefined {
  const entity = names.entity(machine.entity)?.name;
  if (entity === undefined) return undefined;
  const words = new Words(names, machine.entity);
  return words.all(() => ({
    ...machine,
    entity,
    field: words.field(machine.field),
    definition: {
      ...machine.definition,
      transitions: machine.definition.transitions.map((transition) => ({
        ...transition,
        ...(typeof transition.guard === 'string' ? { guard: words.expression(transition.guard) } : {}),
        actions: transition.actions.map((action) => words.action(action)),
      })),
    },
  }));
}

type Load = Extract<RuleDefinition, { type: 'expression' }>['definition']['related_load'][number];
type Action = StateMachineDefinition['definition']['transitions'][number]['actions'][number];

/** Translates word by word and remembers when one could not be. */
export class Words {
  readonly #names: OlderNames;
  readonly #entity: string;
  #isWhole = true;

  constructor(names: OlderNames, entity: string) {
    this.#names = names;
    this.#entity = entity;
  }

  /** Undefined when a word of it has no older one. */
  all<T>(work: () => T): T | undefined {
    const told = work();
    return this.#isWhole ? told : undefined;
  }

  field(name: string): string {
    return this.#keep(this.#names.comparable(this.#entity, name)?.name);
  }

  expression(text: string): string {
    return this.#keep(olderExpression(this.#names, this.#entity, text));
  }

  load({ relation, filter }: Load): Load {
    const target = this.#names.served.entities.get(this.#entity)?.ends.get(relation)?.target ?? '';
    return { relation: this.#keep(this.#names.end(this.#entity, relation)?.name), filter: this.#members(target, filter) };
  }

  action(action: Action): Action {
    if (action.type === 'create_record') {
      return {
        ...action,
        entity: this.#keep(this.#names.entity(action.entity)?.name),
        fields: this.#members(action.entity, action.fields),
      };
    }
    return {
      ...action,
      field: this.field(action.field),
      ...(action.expression === undefined ? {} : { expression: this.expression(action.expression) }),
    };
  }

  #members<T>(entity: string, members: Readonly<Record<string, T>>): Record<string, T> {
    return Object.fromEntries(
      Object.entries(members).map(([name, member]) => [this.#keep(this.#names.comparable(entity, name)?.name), member]),
    );
  }

  #keep(word: string | undefined): string {
    if (word === undefined) this.#isWhole = false;
    return word ?? '';
  }
}
