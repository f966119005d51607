/** What the API says the caller may see and do: the only thing the lists and forms are made from. */
import type { FieldType } from '../../core/model/document.ts';
import { client } from './session.ts';

export interface DiscoveredField {
  readonly name: string;
  readonly label: string;
  readonly type: Exclude<FieldType, 'relation'>;
  readonly required: boolean;
  readonly unique: boolean;
  readonly enum: readonly (string | number | boolean)[] | null;
  readonly default: unknown;
  readonly auto: boolean;
  readonly computed: boolean;
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly min_length: number | null;
  readonly max_length: number | null;
  readonly pattern: string | null;
  readonly precision: number | null;
  readonly description: string | null;
  readonly hidden: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly references: string | null;
}

export interface DiscoveredRelation {
  readonly name: string;
  readonly names: readonly string[];
  readonly type: 'one_to_one' | 'one_to_many' | 'many_to_many';
  readonly cardinality: 'one' | 'many';
  readonly direction: 'forward' | 'reverse' | 'link';
  readonly target: string;
  readonly local_field: string;
  readonly target_field: string;
  readonly write_mode: 'diff' | 'replace' | 'append';
  /** What becomes of the rows that hold the key when the record they lead to is deleted. */
  readonly on_delete: 'cascade' | 'set_null' | 'restrict' | 'detach';
}

export interface DiscoveredMachine {
  readonly field: string;
  readonly initial: string;
  readonly transitions: readonly { readonly from: readonly string[]; readonly to: string; readonly roles: readonly string[] }[];
}

export interface DiscoveredEntity {
  readonly name: string;
  readonly label: string;
  readonly description: string | null;
  /** `fields` are those of a compound key, whose values are joined by commas in a record's id. */
  readonly primary_key: { readonly field: string; readonly fields: readonly string[]; readonly type: string; readonly generated: boolean };
  readonly display_field: string;
  readonly soft_delete: boolean;
  readonly permissions: { readonly read: boolean; readonly create: boolean; readonly update: boolean; readonly delete: boolean };
  readonly fields: readonly DiscoveredField[];
  readonly relations: readonly DiscoveredRelation[];
  readonly state_machines: readonly DiscoveredMachine[];
}

export interface Discovery {
  readonly app: { readonly name: string; readonly display_name: string };
  readonly schema_version: number;
  readonly user: {
    readonly id: string;
    readonly email: string;
    readonly roles: readonly string[];
    readonly is_admin: boolean;
    /** May make saved lists for others. */
    readonly may_share_lists: boolean;
  };
  readonly entities: readonly DiscoveredEntity[];
}

export async function discover(app: string): Promise<Discovery> {
  const { body } = await client.call<{ data: Discovery }>(`/api/${encodeURIComponent(app)}/_discovery`);
  return body.data;
}

export interface AppSummary {
  readonly name: string;
  readonly display_name: string;
  readonly status: string;
}

/** Every app a platform user may open; undefined for an app's own user, who has only that one. */
export async function listApps(): Promise<readonly AppSummary[] | undefined> {
  try {
    const { body } = await client.call<{ data: readonly AppSummary[] }>('/api/_platform/apps');
    return body.data.filter((app) => app.status === 'active');
  } catch {
    return undefined;
  }
}
