import type { UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from '../../../../client/client.ts';
import { useRead } from '../../api/use-api.ts';
import { MOST_ENTRIES, type Comment } from './timeline.ts';

interface CommentsAnswer {
  readonly data: readonly Comment[];
  readonly meta: { readonly may_write: boolean };
}

/**
 * What one may do with the comments of a record, which its story does not tell: one request for the box and all entries, that has as many
 * of the newest comments as the story may show.
 */
export const useComments = (path: string): UseQueryResult<CommentsAnswer, ApiError> =>
  useRead<CommentsAnswer>(`${path}/_comments?limit=${MOST_ENTRIES}`);
