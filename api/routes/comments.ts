/** `/api/:app/:entity/:id/_comments`: what people say about a record. */
import type { AppContext } from '../../operations/context.ts';
import { getComment, listComments, type Comment } from '../../operations/comments/read.ts';
import { createComment, deleteComment, updateComment, type CommentPlace } from '../../operations/comments/write.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, noBodyOf, type Call } from '../http/call.ts';
import { answeredUnderKey } from '../http/write-options.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

export async function commentsRoute(ctx: AppContext, call: Call, place: CommentPlace, rest: readonly string[]): Promise<Answer> {
  const [comment, ...more] = rest;
  call.route = `/api/:app/:entity/:id/_comments${comment === undefined ? '' : '/:comment'}`;
  if (more.length > 0) throw noSuchRoute(call);
  const { entity, record } = place;
  if (comment === undefined) {
    if (call.method === 'GET') return bodyAnswer(await withFreshSchema(ctx, (fresh) => listComments(fresh, entity, record, call.query)));
    if (call.method !== 'POST') throw noSuchRoute(call);
    const body = await jsonOf(call);
    return answeredUnderKey(ctx, call, async (once) =>
      commentAnswer(await withFreshSchema(ctx, (fresh) => createComment(fresh, place, body, once)), 201),
    );
  }
  const one = { ...place, comment, ifMatch: headerOf(call, 'if-match') };
  switch (call.method) {
    case 'GET':
      return commentAnswer(await withFreshSchema(ctx, (fresh) => getComment(fresh, entity, record, comment)));
    case 'PATCH': {
      const body = await jsonOf(call);
      return answeredUnderKey(ctx, call, async (once) =>
        commentAnswer(await withFreshSchema(ctx, (fresh) => updateComment(fresh, one, body, once))),
      );
    }
    case 'DELETE':
      await noBodyOf(call, '_comments');
      return answeredUnderKey(ctx, call, async (once) =>
        dataAnswer(await withFreshSchema(ctx, (fresh) => deleteComment(fresh, one, once))),
      );
    default:
      throw noSuchRoute(call);
  }
}

const commentAnswer = (comment: Comment, status = 200): Answer => dataAnswer(comment, status, { ETag: `"${String(comment.version)}"` });
