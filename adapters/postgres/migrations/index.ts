/** Our own migrations, in order. A new one is a new file and a new line here; a released one never changes. */
import type { Knex } from 'knex';
import * as control0001 from './0001_control.ts';
import * as control0002 from './0002_accounts.ts';
import * as control0003 from './0003_credentials.ts';
import * as control0010 from './0010_second_factor.ts';
import * as control0011 from './0011_oidc.ts';
import * as control0013 from './0013_event_state.ts';
import * as control0014 from './0014_rollouts.ts';
import * as control0016 from './0016_grace.ts';
import * as control0017 from './0017_backfill.ts';
import * as control0018 from './0018_maintenance.ts';
import * as control0019 from './0019_latency.ts';
import * as control0020 from './0020_schedules.ts';
import * as control0022 from './0022_replay_work.ts';
import * as control0023 from './0023_feed_and_audit.ts';
import * as control0024 from './0024_clocks.ts';
import * as control0025 from './0025_messages.ts';
import * as control0026 from './0026_function_work.ts';
import * as control0027 from './0027_operation_work.ts';
import * as control0034 from './0034_open_imports.ts';
import * as control0038 from './0038_events_of_app.ts';
import * as control0030 from './0030_older_clients.ts';
import * as app0001 from './app-0001_system.ts';
import * as app0002 from './app-0002_accounts.ts';
import * as app0003 from './app-0003_credentials.ts';
import * as app0004 from './app-0004_idempotency.ts';
import * as app0010 from './app-0010_second_factor.ts';
import * as app0011 from './app-0011_oidc.ts';
import * as app0012 from './app-0012_quarantine.ts';
import * as app0013 from './app-0013_processes.ts';
import * as app0014 from './app-0014_approvals.ts';
import * as app0015 from './app-0015_webhooks.ts';
import * as app0017 from './app-0017_clocks.ts';
import * as app0018 from './app-0018_functions.ts';
import * as app0019 from './app-0019_operations.ts';
import * as app0022 from './app-0022_operated_steps.ts';
import * as app0023 from './app-0023_retention.ts';
import * as app0024 from './app-0024_run_trigger.ts';
import * as app0026 from './app-0026_wait_version.ts';
import * as app0029 from './app-0029_lists.ts';
import * as app0027 from './app-0027_imports.ts';
import * as app0030 from './app-0030_comments.ts';
import * as app0033 from './app-0033_stopped_replays.ts';

export interface ControlMigration {
  readonly name: string;
  up(knex: Knex): Promise<void>;
}

export interface AppMigration {
  readonly name: string;
  up(knex: Knex, storage: string): Promise<void>;
}

export const CONTROL_MIGRATIONS: readonly ControlMigration[] = [
  control0001,
  control0002,
  control0003,
  control0010,
  control0011,
  control0013,
  control0014,
  control0016,
  control0017,
  control0018,
  control0019,
  control0020,
  control0022,
  control0023,
  control0024,
  control0025,
  control0026,
  control0027,
  control0034,
  control0038,
  control0030,
];
export const APP_MIGRATIONS: readonly AppMigration[] = [
  app0001,
  app0002,
  app0003,
  app0004,
  app0010,
  app0011,
  app0012,
  app0013,
  app0014,
  app0015,
  app0017,
  app0018,
  app0019,
  app0022,
  app0023,
  app0024,
  app0026,
  app0029,
  app0027,
  app0030,
  app0033,
];
