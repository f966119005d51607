/** What a change is called: its verb and its noun, for every kind there is. A kind without words does not compile. */
import type { Change } from './plan.ts';
import { words } from '../i18n/words.ts';

type Kind = Change['kind'];
type Verb = Kind extends infer K ? (K extends `${infer V}_${string}` ? V : never) : never;
type Noun = Kind extends infer K ? (K extends `${string}_${infer N}` ? N : never) : never;

const ENGLISH_VERBS = {
  add: 'New',
  drop: 'Removed',
  rename: 'Renamed',
  set: 'Changed',
  change: 'Changed',
  transform: 'Values carried over',
  move: 'Moved',
  split: 'Split',
  merge: 'Merged',
} as const satisfies Record<Verb, string>;

const ENGLISH_NOUNS = {
  entity: 'Entity',
  table: 'Table',
  column: 'Column',
  primary_key: 'Key',
  soft_delete: 'Soft delete',
  field: 'Field',
  fields: 'Fields',
  type: 'Type',
  required: 'Required',
  default: 'Default',
  unique: 'Unique',
  enum: 'Values',
  limit: 'Limit',
  index: 'Index',
  relation: 'Relation',
  rule: 'Rule',
  state_machine: 'State machine',
  workflow: 'Workflow',
  calendar: 'Calendar',
  sla: 'SLA',
  permission: 'Permission',
  webhook: 'Webhook',
  function: 'Function',
  role: 'Role',
  settings: 'Settings',
  ui_configs: 'UI defaults',
  storage: 'Storage',
} as const satisfies Record<Noun, string>;

export const VERBS = words({
  en: ENGLISH_VERBS,
  de: {
    add: 'Neu',
    drop: 'Entfernt',
    rename: 'Umbenannt',
    set: 'Geändert',
    change: 'Geändert',
    transform: 'Werte übertragen',
    move: 'Verschoben',
    split: 'Geteilt',
    merge: 'Zusammengeführt',
  },
});

export const NOUNS = words({
  en: ENGLISH_NOUNS,
  de: {
    entity: 'Entität',
    table: 'Tabelle',
    column: 'Spalte',
    primary_key: 'Schlüssel',
    soft_delete: 'Papierkorb',
    field: 'Feld',
    fields: 'Felder',
    type: 'Typ',
    required: 'Pflicht',
    default: 'Vorgabe',
    unique: 'Eindeutig',
    enum: 'Werte',
    limit: 'Grenze',
    index: 'Index',
    relation: 'Beziehung',
    rule: 'Regel',
    state_machine: 'Zustandsmaschine',
    workflow: 'Ablauf',
    calendar: 'Kalender',
    sla: 'SLA',
    permission: 'Berechtigung',
    webhook: 'Webhook',
    function: 'Funktion',
    role: 'Rolle',
    settings: 'Einstellungen',
    ui_configs: 'UI-Vorgaben',
    storage: 'Ablage',
  },
});

export const verbOf = (change: Pick<Change, 'kind'>): Verb => change.kind.slice(0, change.kind.indexOf('_')) as Verb;
export const nounOf = (change: Pick<Change, 'kind'>): Noun => change.kind.slice(change.kind.indexOf('_') + 1) as Noun;

/** A value of a change, short: lists joined, nothing as a dash, objects as their JSON. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '–';
  if (Array.isArray(value)) return value.map(valueText).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}
