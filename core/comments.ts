/** What a comment may be, and who may see and write them: the words of the document and of the text itself. */
import type { EntityDefinition } from './model/document.ts';

export const MAX_COMMENT = 10_000;
export const MAX_MENTIONS = 20;

/** Custom events that tell of comments begin so; no `send_event` may have such a name. */
export const COMMENT_EVENT = 'comment:';
export type CommentEvent = 'comment:created' | 'comment:edited' | 'comment:deleted';

/** `@[<id or address of a user>]` in a text. */
const MENTION = /@\[([^\]\s]{1,320})\]/g;

export const mentionsIn = (body: string): string[] => [
  ...new Set([...body.matchAll(MENTION)].map(([, named = '']) => named.toLowerCase())),
];

/** The text with ids in the place of addresses. */
export const withIds = (body: string, idOf: (named: string) => string): string =>
  body.replaceAll(MENTION, (_, named: string) => `@[${idOf(named.toLowerCase())}]`);

export interface CommentRights {
  readonly isOn: boolean;
  /** Of those who may read the record. */
  readonly sees: boolean;
  /** Of those who see them; `if_updates`: who may update the record. */
  readonly writes: boolean | 'if_updates';
}

/** `roles` in lower case. Without a word in the document whoever reads a record may comment on it. */
export function commentRights(
  { comments = 'readers' }: Pick<EntityDefinition, 'comments'>,
  isAdmin: boolean,
  roles: readonly string[],
): CommentRights {
  if (comments === 'off') return { isOn: false, sees: false, writes: false };
  if (isAdmin) return { isOn: true, sees: true, writes: true };
  if (comments === 'readers') return { isOn: true, sees: true, writes: true };
  if (comments === 'updaters') return { isOn: true, sees: true, writes: 'if_updates' };
  const isOne = comments.some((role) => roles.includes(role.toLowerCase()));
  return { isOn: true, sees: isOne, writes: isOne };
}
