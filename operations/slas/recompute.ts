/** Counting open clocks anew by the definition of today, from their start, whatever it says about looking back. */
import { randomUUID } from 'node:crypto';
import { run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError, nearestNames } from '../../core/errors.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { formsOf, saveForms } from './forms.ts';
import { queueStarts } from '../starts.ts';
import { clockSignal } from './start-clocks.ts';

/** Answers how many clocks look again; they do in turns, at the app's pace of starts. */
export async function recomputeClocks(ctx: AppContext, name: string): Promise<{ readonly sla: string; readonly clocks: number }> {
  const { services, app, actor } = ctx;
  const { byKey } = formsOf(app);
  const form = byKey.get(name) ?? [...byKey.values()].find(({ sla }) => sla.name === name);
  if (form === undefined) {
    const near = nearestNames(
      name,
      [...byKey.values()].map(({ sla }) => sla.name),
    );
    throw new AppError(
      'NOT_FOUND',
      `There is no active SLA "${name.slice(0, 100)}".`,
      near.length === 0 ? {} : { hint: `Nearest: ${near.join(', ')}.` },
    );
  }
  const clocks = await transaction(services.pool, async (client) => {
    await saveForms(client, app.storage, [form]);
    const eras = JSON.stringify([{ since: null, form: form.hash }]);
    const rows = await run<{ workflow_id: string }>(
      client,
      sql`update ${id(app.storage, '_clocks')} set eras = ${value(eras, 'jsonb')}, form = ${value(form.hash)}
          where stopped_at is null and sla = ${value(form.key)} returning workflow_id`,
    );
    const reason = randomUUID();
    await queueStarts(
      client,
      app,
      rows.map(({ workflow_id }) => clockSignal(app, workflow_id, reason)),
    );
    await audit(client, actor, { app: app.id, action: 'sla.recompute', target: form.key, detail: { clocks: rows.length } });
    return rows.length;
  });
  return { sla: form.sla.name, clocks };
}
