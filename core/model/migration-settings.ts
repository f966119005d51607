import { durationMs } from '../duration.ts';
import { migrationSettingsSchema, type SchemaDocument } from './document.ts';

export interface MigrationRules {
  readonly approval: 'never' | 'breaking' | 'always';
  readonly isFourEyes: boolean;
  readonly graceMs: number;
  readonly retentionMs: number;
}

/** How an app that serves this document takes over its next version. */
export function migrationRules({ settings }: Pick<SchemaDocument, 'settings'>): MigrationRules {
  const { approval, four_eyes: isFourEyes, grace, retention } = settings.migrations ?? migrationSettingsSchema.parse({});
  return { approval, isFourEyes, graceMs: durationMs(grace), retentionMs: durationMs(retention) };
}

/** Whether a plan of changes of this class waits for somebody's word. */
export const needsApproval = ({ approval }: MigrationRules, changes: 'compatible' | 'breaking'): boolean =>
  approval === 'always' || (approval === 'breaking' && changes === 'breaking');
