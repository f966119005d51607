import type { Tone } from '../../ui/Status.tsx';

/** One app, as `/api/_platform/apps` shows it. */
export interface App {
  readonly name: string;
  readonly display_name: string;
  readonly status: string;
  readonly schema: string;
  readonly schema_version: number;
  readonly pinned_version: number | null;
  readonly maintenance: boolean | readonly string[];
  readonly retire_at: string | null;
  readonly created_at: string;
}

export const APPS_PATH = '/api/_platform/apps';
export const appOf = (name: string): string => `${APPS_PATH}/${encodeURIComponent(name)}`;

type StatusWord = 'active' | 'provisioning' | 'failed' | 'retiring' | 'maintenance';

/** The one thing to say of an app's state: that it is going away, broken or closed comes before that it is active. */
export function stateOf(app: App): { readonly tone: Tone; readonly word: StatusWord } {
  if (app.status === 'retiring' || app.retire_at !== null) return { tone: 'off', word: 'retiring' };
  if (app.status === 'failed') return { tone: 'failed', word: 'failed' };
  if (app.status !== 'active') return { tone: 'running', word: 'provisioning' };
  return app.maintenance === false ? { tone: 'done', word: 'active' } : { tone: 'paused', word: 'maintenance' };
}
