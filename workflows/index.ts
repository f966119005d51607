/** Every workflow type, and nothing else: the worker bundles this file, the replay test asks each export for its histories. */
export { clock } from './clock.ts';
export { contract } from './contract.ts';
export { delivery } from './delivery.ts';
export { process } from './process/process.ts';
export { provision } from './provision.ts';
export { recordImport } from './record-import.ts';
export { retire } from './retire.ts';
export { rollout } from './rollout.ts';
export { scheduledStart } from './scheduled-start.ts';
export { schemaMigration } from './schema-migration.ts';
