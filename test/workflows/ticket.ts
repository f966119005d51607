import { randomUUID } from 'node:crypto';
import { listRecordClocks } from '../../operations/slas/read.ts';
import type { ClockAnswer } from '../../operations/slas/view.ts';
import type { ProcessWorld, Row } from './process-world.ts';

/** A ticket whose row and events change together, at times of the test's choosing. */
export class Ticket {
  readonly id = randomUUID();
  readonly #world: ProcessWorld;
  #row: Row = { id: this.id };

  constructor(world: ProcessWorld) {
    this.#world = world;
  }

  static async of(world: ProcessWorld, fields: Row, at = Date.now()): Promise<Ticket> {
    const ticket = new Ticket(world);
    await ticket.change(fields, at);
    return ticket;
  }

  async change(fields: Row | null, at = Date.now()): Promise<void> {
    const { pool } = this.#world.services;
    const client = await pool.connect();
    try {
      await client.query('begin');
      const table = `${this.#world.app.storage}.ticket`;
      const known = await client.query<{ version: string }>(`select _version as version from ${table} where id = $1 for update`, [this.id]);
      const version = Number(known.rows[0]?.version ?? 0) + 1;
      const old = this.#row;
      const record = fields === null ? null : { ...old, ...fields };
      if (record === null) await client.query(`delete from ${table} where id = $1`, [this.id]);
      else if (version === 1) await client.query(`insert into ${table} (id, status) values ($1, $2)`, [this.id, record['status']]);
      else await client.query(`update ${table} set status = $2, _version = $3 where id = $1`, [this.id, record['status'], version]);
      await client.query(
        `insert into durabase.events (at, app, entity, record_id, action, record_version, schema_version, actor, record, old)
         values ($1, $2, 'ticket', $3, $4, $5, 1, '{"kind":"system","id":null,"roles":[]}', $6, $7)`,
        [
          new Date(at),
          this.#world.app.id,
          this.id,
          record === null ? 'delete' : version === 1 ? 'create' : 'update',
          version,
          record === null ? null : JSON.stringify(record),
          version === 1 ? null : JSON.stringify(old),
        ],
      );
      await client.query('commit');
      if (record !== null) this.#row = record;
    } finally {
      client.release();
    }
  }

  clocks(): Promise<ClockAnswer[]> {
    return listRecordClocks({ ...this.#world.admin, now: new Date() }, 'ticket', this.id);
  }

  /** What the row shows, which only the workflow writes. */
  async shown(): Promise<Row[]> {
    const { rows } = await this.#world.services.pool.query<Row>(
      `select id, workflow_id, state, started_at, is_paused, due_at, next_at, stopped_at, error, revision, jsonb_path_query_array(fired, '$[*].key') as fired
       from ${this.#world.app.storage}._clocks where record_id = $1 order by started_at`,
      [this.id],
    );
    return rows;
  }

  async told(): Promise<Row[]> {
    const { rows } = await this.#world.services.pool.query<{ record: Row; at: Date }>(
      `select record, at from durabase.events where record_id = $1 and action = 'custom' order by seq`,
      [this.id],
    );
    return rows.map(({ record }) => record);
  }

  async until(done: (rows: Row[]) => boolean, ms = 20_000): Promise<Row[]> {
    const end = Date.now() + ms;
    for (;;) {
      const rows = await this.shown();
      if (done(rows)) return rows;
      if (Date.now() > end) throw new Error(`not reached in ${ms} ms: ${JSON.stringify(rows)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
