/** `/api/:app/_lists`: saved lists, one's own and those shared with the caller. */
import type { AppContext } from '../../operations/context.ts';
import { getList, listLists, type SavedList } from '../../operations/lists/read.ts';
import { createList, deleteList, updateList } from '../../operations/lists/write.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, noBodyOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function listsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [listId, ...more] = rest;
  call.route = listId === undefined ? '/api/:app/_lists' : '/api/:app/_lists/:id';
  if (more.length > 0) throw noSuchRoute(call);
  if (listId === undefined) {
    if (call.method === 'GET') return bodyAnswer(await listLists(ctx, call.query));
    if (call.method === 'POST') return listAnswer(await createList(ctx, await jsonOf(call)), 201);
    throw noSuchRoute(call);
  }
  switch (call.method) {
    case 'GET':
      return listAnswer(await getList(ctx, listId));
    case 'PATCH':
      return listAnswer(await updateList(ctx, listId, await jsonOf(call), headerOf(call, 'if-match')));
    case 'DELETE':
      await noBodyOf(call, '_lists');
      return dataAnswer(await deleteList(ctx, listId, headerOf(call, 'if-match')));
    default:
      throw noSuchRoute(call);
  }
}

const listAnswer = (list: SavedList, status = 200): Answer => dataAnswer(list, status, { ETag: `"${String(list.version)}"` });
