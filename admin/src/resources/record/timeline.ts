/** What `_timeline` tells, by its types. */
interface Told {
  readonly id: string;
  readonly at: string;
}

export interface ActorSeen {
  readonly kind: string;
  readonly id?: string | null;
  readonly name?: string | null;
}

/** A comment as the story tells it. */
export interface ToldComment {
  readonly id: string;
  readonly body: string;
  readonly author: ActorSeen;
  readonly version: number | string;
  readonly edited_at: string | null;
}

/** A comment as it answers for itself. */
export interface Comment extends ToldComment {
  readonly may_edit: boolean;
  readonly may_delete: boolean;
}

export interface ChangeEntry extends Told {
  readonly type: 'change' | 'transition';
  readonly action: string;
  readonly actor: ActorSeen | null;
  readonly changes: Readonly<Record<string, { readonly old?: unknown; readonly new?: unknown }>>;
  readonly transitions?: readonly { readonly field: string; readonly from: string | null; readonly to: string | null }[];
}

export type TimelineEntry =
  | ChangeEntry
  | (Told & { readonly type: 'comment'; readonly comment: ToldComment })
  | (Told & {
      readonly type: 'run';
      readonly event: 'begun' | 'ended';
      readonly workflow: string;
      readonly status?: string;
      readonly error?: string | null;
      readonly actor?: ActorSeen | null;
    })
  | (Told & {
      readonly type: 'vote';
      readonly workflow: string;
      readonly step: string;
      readonly run_id: string;
      readonly decision: string;
      readonly comment?: string | null;
      readonly actor: ActorSeen | null;
      readonly for?: ActorSeen | null;
    })
  | (Told & { readonly type: 'clock'; readonly sla: string; readonly mark: string; readonly label?: string | null })
  | (Told & {
      readonly type: 'delivery';
      readonly webhook: { readonly id: string; readonly name: string };
      readonly status: string;
      readonly reason?: string | null;
    });

/** A story is shown so far back, a page of the API. */
export const MOST_ENTRIES = 100;

export const TYPES = ['change', 'transition', 'comment', 'run', 'vote', 'clock', 'delivery'] as const;
export type EntryType = (typeof TYPES)[number];
