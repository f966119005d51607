/** Sends queued mails. Stands on Postgres alone: a new password does not wait for Temporal to be back. */
import { createMailer } from '../adapters/mail.ts';
import type { Services } from '../operations/context.ts';
import { forgetMails, sendDueMails } from '../operations/mails/send-due.ts';
import { loop, pause, type Loop } from './loop.ts';

const POLL_MS = 500;
const FORGET_EVERY = 7_200;

export function startMailer(services: Services): Loop {
  const mailer = createMailer(services.config);
  let turns = 0;
  const sending = loop('mailer', services.log, async (signal, waker) => {
    if (turns++ % FORGET_EVERY === 0) await forgetMails(services);
    const sent = mailer === undefined ? 0 : await sendDueMails(services, mailer);
    if (sent === 0) await pause(POLL_MS, signal, waker);
  });
  return {
    wake: () => sending.wake(),
    async close() {
      await sending.close();
      mailer?.close();
    },
  };
}
