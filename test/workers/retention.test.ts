/** What ended long ago is forgotten, and nothing that is open or young. */
import { beforeAll, expect, it } from 'vitest';
import { forgetOld } from '../../operations/retention.ts';
import { eventWorld, type EventWorld } from '../support/event-world.ts';

let world: EventWorld;
beforeAll(async () => {
  world = await eventWorld({ version: 1, entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }] });
});

const insert = (text: string, values: unknown[] = []): Promise<unknown> => world.query(text.replaceAll('~', world.storage), values);
const left = async (text: string): Promise<string[]> =>
  (await world.query<{ what: string }>(text.replaceAll('~', world.storage))).map(({ what }) => what).sort();

async function run(id: string, status: string, days: number): Promise<void> {
  await insert(
    `insert into ~._runs (id, workflow_id, definition_id, workflow_name, schema_version, status, updated_at)
     values ($1::uuid, 'process/a/' || $1, 'd', 'd', 1, $2, now() - make_interval(days => $3))`,
    [id, status, days],
  );
  await insert(`insert into ~._tasks (id, run_id, step, state, assignee) values (uuidv7(), $1, $2, 'approved', '{}')`, [
    id,
    `${status}${days}`,
  ]);
  await insert(
    `insert into ~._votes (id, task_id, voter, person, decision, groups, actor, key, at) select uuidv7(), id, 'v', 'v', 'approved', '{}', '{}', 'k', now() from ~._tasks where run_id = $1`,
    [id],
  );
  await insert(
    `insert into ~._starts (workflow_id, kind, input, state, created_at) values ('process/a/' || $1, 'process', '{}', 'started', now() - interval '400 days')`,
    [id],
  );
  await insert(`insert into ~._effects (key, result, at) values ('process/a/' || $1 || '/1/0', '{}', now() - interval '400 days')`, [id]);
}

const ID = '00000000-0000-4000-8000-00000000000';

it('runs go with their tasks and votes, and what they were started with goes once they have ended', async () => {
  await run(`${ID}1`, 'running', 400);
  await run(`${ID}2`, 'completed', 366);
  await run(`${ID}3`, 'failed', 300);
  await insert(
    `insert into ~._starts (workflow_id, kind, input, state, created_at) values ('young', 'signal', '{}', 'started', now() - interval '89 days'), ('waiting', 'clock', '{}', 'pending', now() - interval '400 days'), ('failed', 'clock', '{}', 'failed', now() - interval '91 days')`,
  );
  await insert(
    `insert into ~._effects (key, result, at) values ('young', '{}', now() - interval '89 days'), ('clock/a/b/c/0', '{}', now() - interval '91 days')`,
  );
  expect(await forgetOld(world.services)).toMatchObject({ _runs: 1, _starts: 3, _effects: 3 });
  expect(await left('select status as what from ~._runs')).toEqual(['failed', 'running']);
  expect(await left('select t.step as what from ~._tasks t join ~._votes v on v.task_id = t.id')).toEqual(['failed300', 'running400']);
  expect(await left('select workflow_id as what from ~._starts')).toEqual([`process/a/${ID}1`, 'waiting', 'young']);
  expect(await left('select key as what from ~._effects')).toEqual([`process/a/${ID}1/1/0`, 'young']);
});

it('clocks, notifications, runs of functions, replays and operations go when they are over', async () => {
  const clock = (name: string, stopped: string): Promise<unknown> =>
    insert(
      `insert into ~._clocks (id, workflow_id, sla, sla_name, entity, record_id, started_seq, started_version, started_at, state, stopped_at, eras, form, assessed_at)
       values (uuidv7(), $1, 's', $1, 'ticket', $1, 1, 1, now(), 'met', now() - $2::interval, '[]', 'f', now())`,
      [name, stopped === '' ? null : stopped],
    );
  await clock('open', '');
  await clock('old', '366 days');
  await clock('young', '364 days');
  await insert(`insert into ~._users (id, email) values ($1, 'a@b.test')`, [`${ID}9`]);
  await insert(
    `insert into ~._notifications (id, user_id, message) select uuidv7(make_interval(days => -d)), $1, d::text from unnest(array[89, 91]) d`,
    [`${ID}9`],
  );
  await insert(
    `insert into ~._function_runs (id, attachment, function, entity, status, finished_at) values
       (uuidv7(), 'a', 'old', 'ticket', 'failed', now() - interval '31 days'), (uuidv7(), 'a', 'young', 'ticket', 'succeeded', now() - interval '29 days'),
       (uuidv7(), 'a', 'open', 'ticket', 'pending', null)`,
  );
  await insert(
    `insert into ~._replays (id, webhook, statuses, state, created_by) select uuidv7(make_interval(days => -d)), s || d, '{}', s, '{}' from unnest(array[89, 91]) d, unnest(array['running', 'done', 'stopped']) s`,
  );
  await insert(
    `with o as (insert into ~._operations (id, action, filter, actor) select uuidv7(make_interval(days => -91)), 'skip', jsonb_build_object('s', s), '{}' from unnest(array['pending', 'done']) s returning id, filter)
     insert into ~._operated_runs (operation_id, run_id, state) select id, $1, filter ->> 's' from o`,
    [`${ID}1`],
  );
  await insert(
    `insert into ~._comments (id, entity_table, record_id, schema_version, body, author)
     select uuidv7(), t, '1', 1, t, '{}' from unnest(array['_users', 'gone', 'gone_too']) t`,
  );
  await forgetOld(world.services);
  expect(await left('select body as what from ~._comments')).toEqual(['_users']);
  expect(await left('select sla_name as what from ~._clocks')).toEqual(['open', 'young']);
  expect(await left('select message as what from ~._notifications')).toEqual(['89']);
  expect(await left('select function as what from ~._function_runs')).toEqual(['open', 'young']);
  expect(await left('select webhook as what from ~._replays')).toEqual(['done89', 'running89', 'running91', 'stopped89']);
  expect(await left('select x.state as what from ~._operations o join ~._operated_runs x on x.operation_id = o.id')).toEqual(['pending']);
});
