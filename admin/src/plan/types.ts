/** What the API says of changes, plans and migrations (docs/migrations.md). */
import type { Change } from '../../../core/change/change.ts';

export type { Change } from '../../../core/change/change.ts';

export interface Estimate {
  readonly rows: number | null;
  readonly rows_exact: boolean;
  readonly bytes: number | null;
  readonly ms: number | null;
}

export interface PlanStep {
  readonly key: string;
  readonly phase: string;
  readonly mode: 'brief' | 'long' | 'batch';
  readonly table: string;
  readonly sql: string;
  readonly lock: string;
  readonly lock_timeout_ms: number | null;
  readonly rewrite: boolean;
  readonly concurrent: boolean;
  readonly estimate: Estimate;
}

export interface Finding {
  readonly level: 'error' | 'warning' | 'info';
  readonly path: string;
  readonly message: string;
  readonly consequence: string;
  readonly fix: string;
}

export interface ReviewFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly step: string;
  readonly message: string;
  readonly hint: string;
}

export interface TriedConversion {
  readonly entity: string;
  readonly fields: readonly string[];
  readonly kind: 'convert' | 'transform' | 'fill';
  readonly checked: number;
  readonly failing: number;
  readonly is_whole: boolean;
  readonly sample: readonly { readonly record_id: string; readonly field: string; readonly value: string | null; readonly error: string }[];
}

/** A drop that nobody confirmed, or that may have been meant as a rename. */
export interface Question {
  readonly kind: string;
  readonly rule: 'confirm_drop' | 'rename_or_drop';
  readonly message: string;
  readonly hint: string;
  readonly entity?: string;
  readonly field?: string;
  readonly relation?: string;
}

/** The answer of every dry run, and of `_admin/migrations/:id/plan`. */
export interface Plan {
  readonly from_version: number;
  readonly class: 'compatible' | 'breaking';
  readonly changes: readonly Change[];
  readonly steps: readonly PlanStep[];
  readonly findings: readonly Finding[];
  readonly review: readonly ReviewFinding[];
  readonly estimate: { readonly ms: number | null; readonly basis: string };
  readonly plan_hash: string;
  readonly questions: readonly Question[];
  readonly held: readonly { readonly id: string; readonly table: string; readonly column?: string; readonly values: number }[];
  readonly conversions: readonly TriedConversion[];
  readonly approval: { readonly needed: boolean; readonly four_eyes: boolean };
  readonly grace_ms: number | null;
  readonly retention_ms: number | null;
}

/** Who did something, as versions and migrations remember it. */
export interface Author {
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  readonly id: string | null;
  readonly email?: string | null;
}

export interface SchemaVersion {
  readonly version: number;
  readonly class: string;
  readonly changes: readonly Change[];
  readonly hash: string;
  readonly created_by: Author | null;
  readonly created_at: string;
  readonly is_served: boolean;
  /** Of one version only. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** What a publish, a rollback and a move answer. */
export interface Published {
  readonly schema_version: number;
  readonly changes: readonly Change[];
  readonly migration: { readonly id: string; readonly status: string } | null;
}
