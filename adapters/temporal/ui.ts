/** Where the Temporal Web UI is: under our own origin where we may show it, else at the address that was given. */
import { AppError } from '../../core/errors.ts';
import type { Config } from '../config.ts';

/** Link to a workflow in the Web UI, or null when no UI is known. */
export function temporalLink(config: Pick<Config, 'temporal' | 'publicUrl'>, workflowId: string): string | null {
  const { uiUrl, uiUpstream, namespace } = config.temporal;
  const base = uiUrl ?? (uiUpstream === undefined ? undefined : `${config.publicUrl}/temporal`);
  if (base === undefined) return null;
  return `${base.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

export const temporalUiUnavailable = (cause: unknown): AppError =>
  new AppError('UNAVAILABLE', 'The Temporal Web UI does not answer.', {
    hint: 'TEMPORAL_UI_UPSTREAM must lead to a Web UI whose public path is /temporal. Records and workflows are not concerned.',
    retryAfter: 5,
    cause,
  });
