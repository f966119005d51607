import type { AppContext } from '../context.ts';
import { eventId, feedHead, placeOf, readFeed } from './feed.ts';
import { inTodaysNames, tell, toldJson } from './told.ts';
import { viewsOf, type Wish } from './view.ts';

/**
 * The events of a stream as a page: `{data, next, has_more}`. It looks at `limit` events of the app; `next` goes on behind the last
 * of them, also from an empty page. `reset`: the id was good for nothing, and `next` is now.
 */
export async function eventsPage(ctx: AppContext, wish: Wish): Promise<string> {
  const { pool } = ctx.services;
  const views = viewsOf(ctx, wish);
  const head = await feedHead(pool, ctx.app.id);
  const after = wish.after === 'oldest' ? head.oldest : wish.after === undefined ? head.newest : placeOf(head, wish.after);
  if (after === undefined) return JSON.stringify({ data: [], next: eventId(head.cluster, head.newest), has_more: false, reset: true });
  const events = await readFeed(pool, [{ app: ctx.app.id, after }], wish.limit);
  const today = await inTodaysNames(ctx, ctx.app, events);
  const all = await Promise.all(
    views.map((view) =>
      tell(
        ctx,
        view,
        today.filter(({ entity }) => entity.name === view.entity.name),
      ),
    ),
  );
  const told = all.flat().sort((a, b) => (a.position < b.position ? -1 : 1));
  const data = told.map((one) => toldJson(one, eventId(head.cluster, one.position)));
  const next = eventId(head.cluster, events.at(-1)?.position ?? after);
  return `{"data":[${data.join(',')}],"next":${JSON.stringify(next)},"has_more":${String(events.length === wish.limit)}}`;
}
