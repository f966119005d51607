/** Everything under `_admin`, for admins of the app. */
import { auditPaths, AUDIT_TAG } from './audit-paths.ts';
import { CONFIRM_DROP, definitionPaths, definitionSchemas, DEFINITIONS_TAG, IF_MATCH_VERSION } from './definition-paths.ts';
import { FUNCTION_SCHEMAS, functionPaths, FUNCTIONS_TAG } from './function-paths.ts';
import type { JsonObject, Schema } from './json.ts';
import type { Paths } from './responses.ts';
import { SLA_ADMIN_TAG, slaAdminPaths } from './sla-paths.ts';
import { trialPaths, TRIALS_TAG } from './trial-paths.ts';
import { userAdminPaths, USER_SCHEMAS, USERS_TAG } from './user-paths.ts';
import { SCHEMA_TAG, VERSION_SCHEMAS, versionPaths } from './version-paths.ts';
import { operatingPaths, OPERATING_SCHEMAS, OPERATING_TAG } from './operating-paths.ts';
import { workflowAdminPaths } from './process-paths.ts';
import { WEBHOOK_SCHEMAS, webhookPaths, WEBHOOKS_TAG } from './webhook-paths.ts';

export function adminPaths(base: string): Paths {
  const root = `${base}/_admin`;
  return {
    ...userAdminPaths(root),
    ...definitionPaths(root),
    ...trialPaths(root),
    ...webhookPaths(root),
    ...functionPaths(root),
    ...workflowAdminPaths(root),
    ...operatingPaths(root),
    ...versionPaths(root),
    ...auditPaths(root),
    ...slaAdminPaths(root),
  };
}

export const adminSchemas = (): Record<string, Schema> => ({
  ...USER_SCHEMAS,
  ...VERSION_SCHEMAS,
  ...WEBHOOK_SCHEMAS,
  ...FUNCTION_SCHEMAS,
  ...OPERATING_SCHEMAS,
  ...definitionSchemas(),
});

export const ADMIN_PARAMETERS: Readonly<Record<string, JsonObject>> = {
  IfMatchVersion: IF_MATCH_VERSION,
  ConfirmDrop: CONFIRM_DROP,
};

export const ADMIN_TAGS: readonly JsonObject[] = [
  { name: USERS_TAG, description: 'Accounts of the app, invites, API keys, sign-in providers and signing keys.' },
  { name: AUDIT_TAG, description: 'Who did what to accounts, credentials and definitions; a chain that shows when it was touched.' },
  { name: DEFINITIONS_TAG, description: 'The parts of the schema one by one; every write is a publish.' },
  { name: SCHEMA_TAG, description: 'The schema document as a whole, its versions and migrations.' },
  { name: TRIALS_TAG, description: 'Rules and permissions tried before they are published.' },
  { name: SLA_ADMIN_TAG, description: 'Clocks of SLAs: forecast, trial and recount.' },
  { name: OPERATING_TAG, description: 'Runs as operators look for them, what is done to many at once, and starts that failed.' },
  { name: WEBHOOKS_TAG, description: 'Deliveries of webhooks, and the secrets in them.' },
  { name: FUNCTIONS_TAG, description: 'The registry of functions, their runs, and trying them.' },
];
