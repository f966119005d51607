/** Runs the steps of a plan on a plain connection, as the activities do, so that a test can stop between any two. */
import type pg from 'pg';
import { PHASES, type Phase, type Step } from '../../core/change/step.ts';
import { render, sql, type Sql } from '../../core/sql/sql.ts';

const send = async (client: pg.Client, statement: Sql, given: readonly unknown[] = []): Promise<pg.QueryResult<pg.QueryResultRow>> => {
  const { text, values } = render(statement);
  return client.query(text, [...values, ...given]);
};

export async function isDone(client: pg.Client, step: Step): Promise<boolean> {
  const { rows } = await send(client, sql`select ${step.isDone} as done`);
  return rows[0]?.['done'] === true;
}

/** Every step that is not done yet up to and including the phase, in order. */
export async function applySteps(client: pg.Client, steps: readonly Step[], last: Phase): Promise<void> {
  const due = steps.filter((step) => PHASES.indexOf(step.phase) <= PHASES.indexOf(last));
  for (const step of due) {
    if (await isDone(client, step)) continue;
    try {
      await applyStep(client, step);
    } catch (error) {
      if (step.isOptional !== true) throw error;
    }
  }
}

/** Whether it is done or not: what a worker does that died before it could say so. */
export async function applyStep(client: pg.Client, step: Step): Promise<void> {
  if (step.mode === 'batch') return void (await runBatchesOf(client, step));
  if (step.mode === 'brief') await client.query('begin');
  try {
    for (const statement of step.statements) await send(client, statement);
    if (step.mode === 'brief') await client.query('commit');
  } catch (error) {
    if (step.mode === 'brief') await client.query('rollback');
    throw error;
  }
}

export interface BatchesDone {
  readonly rows: number;
  readonly wrong: number;
}

export async function runBatchesOf(client: pg.Client, step: Step, size = 7): Promise<BatchesDone> {
  let [cursor, rows, wrong] = ['null', 0, 0];
  for (;;) {
    const [statement] = step.statements;
    if (statement === undefined) return { rows, wrong };
    const answer = (await send(client, statement, [cursor, size])).rows[0] as { cursor: string; done: number; wrong?: number };
    if (answer.done === 0) return { rows, wrong };
    cursor = answer.cursor;
    rows += answer.done;
    wrong += answer.wrong ?? 0;
  }
}

/** Takes back what was done, newest first. */
export async function undoSteps(client: pg.Client, steps: readonly Step[]): Promise<void> {
  for (const step of [...steps].reverse()) {
    if (step.mode === 'brief') await client.query('begin');
    for (const statement of step.undo) await send(client, statement);
    if (step.mode === 'brief') await client.query('commit');
  }
}
