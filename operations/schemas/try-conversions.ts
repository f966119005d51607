/** The conversions of a plan tried on the stored records, so that what would be quarantined is known before anything is changed. */
import type pg from 'pg';
import { run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { TRIAL_RESULT, type Trial } from '../../core/change/conversion/trial.ts';
import { tableExists } from '../../core/change/step.ts';
import { literal, sql, value } from '../../core/sql/sql.ts';

export interface TriedConversion {
  readonly entity: string;
  readonly fields: readonly string[];
  readonly kind: Trial['kind'];
  /** How many records were tried; with `is_whole` all there are. */
  readonly checked: number;
  /** How many of them have a value that would be quarantined. */
  readonly failing: number;
  readonly is_whole: boolean;
  /** Ten of those values at most. */
  readonly sample: readonly FailingValue[];
}

export interface FailingValue {
  readonly record_id: string;
  readonly field: string;
  /** What the field was to be made of. */
  readonly value: string | null;
  readonly error: string;
}

/** For all conversions of a plan together: somebody waits for the answer. */
const TRIAL_MS = 2_000;
/** A single record does not take long, so its block ends by itself long before. */
const STATEMENT_MS = TRIAL_MS + 3_000;

export async function tryConversions(pool: pg.Pool, storage: string, trials: readonly Trial[]): Promise<TriedConversion[]> {
  const tried: TriedConversion[] = [];
  for (const trial of trials) {
    const [known] = await run<{ there: boolean }>(pool, sql`select ${tableExists(storage, trial.table)} as there`);
    const found = known?.there === true ? await tryOne(pool, trial, Math.floor(TRIAL_MS / trials.length)) : NOTHING;
    const { entity, fields, kind } = trial;
    const { checked, failing, isWhole, sample } = found;
    tried.push({ entity, fields, kind, checked, failing, is_whole: isWhole, sample });
  }
  return tried;
}

interface Found {
  readonly checked: number;
  readonly failing: number;
  readonly isWhole: boolean;
  readonly sample: readonly FailingValue[];
}

/** A schema that no app owns has no tables, and so no records. */
const NOTHING: Found = { checked: 0, failing: 0, isWhole: true, sample: [] };
const UNKNOWN: Found = { ...NOTHING, isWhole: false };

async function tryOne(pool: pg.Pool, trial: Trial, forMs: number): Promise<Found> {
  try {
    return await transaction(pool, async (client) => {
      await run(client, sql`set transaction read only`);
      await run(client, sql`set local statement_timeout = ${literal(`${String(STATEMENT_MS)}ms`)}`);
      // As the functions of the migration run.
      await run(client, sql`set local search_path to pg_catalog`);
      await run(client, sql`set local timezone to 'UTC'`);
      await run(client, trial.statement(forMs));
      const [row] = await run<{ found: string | null }>(client, sql`select current_setting(${value(TRIAL_RESULT)}, true) as found`);
      return JSON.parse(row?.found ?? JSON.stringify(UNKNOWN)) as Found;
    });
  } catch (error) {
    // Too slow to tell: the plan is worth reading without it.
    if (sqlState(error) === '57014') return UNKNOWN;
    throw error;
  }
}
