import { ApplicationFailure, log, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { AppActivities } from '../activities/apps.ts';
import { brief, ddl } from './activity-options.ts';
import type { ProvisionInput } from './contracts/types.ts';

const { createStorage } = proxyActivities<AppActivities>(ddl);
const { createIdentity, activateApp, failApp } = proxyLocalActivities<AppActivities>(brief);

/** Makes an app usable: storage, signing key, first admin, then it serves. */
export async function provision({ app }: ProvisionInput): Promise<void> {
  try {
    await createStorage(app);
    await createIdentity(app);
    await activateApp(app);
  } catch (error) {
    const reason = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    log.error('provisioning failed', { app, reason });
    await failApp({ app, reason });
    throw ApplicationFailure.nonRetryable(reason, 'PROVISION_FAILED');
  }
}
