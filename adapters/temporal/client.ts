/** A lazy connection to Temporal. Nothing of the data path touches it; what needs it now fails with a clear UNAVAILABLE. */
import type { Client } from '@temporalio/client';

export interface TemporalGateway {
  /** The client, connected within the deadline, or UNAVAILABLE (503). */
  client(): Promise<Client>;
  /** True when the last health check within five seconds answered. */
  isReachable(): Promise<boolean>;
  /** Link to a workflow in the Web UI, or null when no UI is known. */
  linkTo(workflowId: string): string | null;
  close(): Promise<void>;
}
