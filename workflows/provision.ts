import {
  ApplicationFailure,
  log,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AppActivities } from '../activities/apps.ts';
import { brief, ddl } from './activity-options.ts';
import { stateAttribute } from './contracts/search-attributes.ts';
import type { ProvisionInput } from './contracts/types.ts';

const { createStorage } = proxyActivities<AppActivities>(ddl);
const { createIdentity, activateApp, failApp } = proxyLocalActivities<AppActivities>(brief);

/** Makes an app usable: storage, signing key, first admin, then it serves. */
export async function provision({ app }: ProvisionInput): Promise<void> {
  try {
    setCurrentDetails('Making the storage');
    await createStorage.executeWithOptions({ ...ddl, summary: 'make the storage' }, [app]);
    await createIdentity.executeWithOptions({ ...brief, summary: 'make the signing key and the first admin' }, [app]);
    await activateApp.executeWithOptions({ ...brief, summary: 'serve it' }, [app]);
    show('active', 'The app is served');
  } catch (error) {
    const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    log.error('provisioning failed', { app, reason });
    await failApp.executeWithOptions({ ...brief, summary: 'show the failure' }, [{ app, reason }]);
    show('failed', reason);
    throw ApplicationFailure.nonRetryable(reason, 'PROVISION_FAILED');
  }
}

function show(state: 'active' | 'failed', details: string): void {
  setCurrentDetails(details);
  if (patched('provision-state')) upsertSearchAttributes([{ key: stateAttribute, value: state }]);
}
