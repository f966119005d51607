import type { Translate } from '../../i18n/words.ts';
import type { Actor } from './entry.ts';
import type { AUDIT } from './words.ts';

/** Whoever it was, in as few words as are known of them. */
export function actorName(actor: Actor, t: Translate<keyof typeof AUDIT.byLocale.en>): string {
  const known = actor.email ?? actor.name ?? (actor.kind === 'system' ? t('system') : (actor.id ?? t('nobody')));
  return actor.key === undefined || actor.key === null ? known : `${known} (${t('by_key')})`;
}
