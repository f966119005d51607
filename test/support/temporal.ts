import { inject } from 'vitest';

/** Address of the run's one Temporal server (started by the first call). Take task queues and namespaces of your own. */
export const temporalAddress = (): Promise<string> => ask('/temporal');

/** Path of the run's one prebuilt workflow bundle, for `Worker.create({ workflowBundle: { codePath } })`. */
export const workflowBundle = (): Promise<string> => ask('/bundle');

async function ask(service: string): Promise<string> {
  const response = await fetch(inject('serviceDesk') + service);
  const text = await response.text();
  if (!response.ok) throw new Error(`The test run could not provide ${service}: ${text}`);
  return text;
}
