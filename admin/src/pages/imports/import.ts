/** What the parts of this page know of an import, and of the entity it goes into. */
import type { Import, ImportState } from '../../../../client/client.ts';
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';
import type { Tone } from '../../ui/Status.tsx';

export const TONES: Readonly<Record<ImportState, Tone>> = {
  checking: 'running',
  checked: 'waiting',
  running: 'running',
  completed: 'done',
  refused: 'failed',
  cancelled: 'off',
  failed: 'failed',
  undoing: 'running',
  undone: 'off',
};

export const isMoving = ({ state }: Import): boolean => ['checking', 'running', 'undoing'].includes(state);

/** Its rows may still be looked at in another way, and written. */
export const isOpen = ({ state, progress, counts }: Import): boolean =>
  ['checked', 'refused', 'cancelled', 'failed'].includes(state) && (progress.task === 'check' || counts.created + counts.updated === 0);

export const isImportable = ({ permissions }: DiscoveredEntity): boolean => permissions.create || permissions.update;

export const importable = (discovery: Discovery): readonly DiscoveredEntity[] => discovery.entities.filter(isImportable);

export interface TargetChoice {
  readonly value: string;
  readonly label: string;
  /** The unique field of the other record, where that is how it is found. */
  readonly by?: string;
}

/** Where a column may go. */
export function targetsOf(discovery: Discovery, entity: DiscoveredEntity, namesRecords: boolean): readonly TargetChoice[] {
  const isKey = (name: string): boolean => namesRecords && name === entity.primary_key.field;
  const fields = entity.fields.filter((field) => (field.writable && !field.auto && !field.computed) || isKey(field.name));
  return fields.flatMap((field): TargetChoice[] => {
    const relation = entity.relations.find((one) => one.direction === 'forward' && one.local_field === field.name);
    const target = discovery.entities.find((one) => one.name === relation?.target);
    const uniques = target?.fields.filter((other) => other.unique && other.readable && other.name !== relation?.target_field) ?? [];
    return [
      { value: field.name, label: field.label },
      ...uniques.map((other) => ({ value: `${relation?.name ?? ''}.${other.name}`, label: field.label, by: other.label })),
    ];
  });
}

/** What finds a record. */
export const uniquesOf = (entity: DiscoveredEntity): readonly { readonly name: string; readonly label: string }[] =>
  entity.fields.filter((field) => field.readable && (field.unique || field.name === entity.primary_key.field));
