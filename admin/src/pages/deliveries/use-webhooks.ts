import { useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { titleOf, type Webhook } from '../webhooks/webhook.ts';
import { DELIVERIES } from './words.ts';

/** The webhooks of the document, and what one is called by its id; it may have been deleted since. */
export function useWebhooks(): { readonly webhooks: readonly Listed<Webhook>[]; readonly nameOf: (id: string) => string } {
  const t = useWords(DELIVERIES);
  const read = useDefinitions<Webhook>('webhooks');
  const webhooks = read.data?.data ?? [];
  return {
    webhooks,
    nameOf: (id) => {
      const found = webhooks.find((webhook) => webhook.id === id);
      return found === undefined ? (read.isPending ? '…' : t('gone_webhook')) : titleOf(found);
    },
  };
}
