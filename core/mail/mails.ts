/** What mails say: the words of those about accounts, and the form of the others. Every value is escaped in HTML and freed of line breaks in the subject. */

import { escapeHtml } from '../html.ts';

/** Mails about an account, whose words stand here. */
export type AccountMailKind = 'invite' | 'reset' | 'verification';
/** `message`: written by a workflow, a clock or a notice to operators. */
export type MailKind = AccountMailKind | 'message';

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Words {
  readonly subject: (app: string) => string;
  readonly lead: (app: string) => string;
  readonly button: string;
  readonly life: string;
  readonly ignore: string;
}

const WORDS: Readonly<Record<AccountMailKind, Words>> = {
  invite: {
    subject: (app) => `You are invited to ${app}`,
    lead: (app) => `You are invited to ${app}. Choose a password to accept.`,
    button: 'Accept the invitation',
    life: 'The link works once, for 72 hours.',
    ignore: 'If you do not know what this is about, ignore this mail.',
  },
  reset: {
    subject: (app) => `New password for ${app}`,
    lead: (app) => `Somebody asked for a new password for your account at ${app}.`,
    button: 'Choose a new password',
    life: 'The link works once, for one hour.',
    ignore: 'If it was not you, ignore this mail: your password stays as it is.',
  },
  verification: {
    subject: (app) => `Confirm your address for ${app}`,
    lead: (app) => `Somebody signed up at ${app} with this address.`,
    button: 'Confirm the address',
    life: 'The link works once, for 24 hours.',
    ignore: 'If it was not you, ignore this mail: the account stays closed.',
  },
};

/** Subject, text and HTML of a mail; `app` is the app's display name, which anybody may have chosen. */
export function mailText(kind: AccountMailKind, app: string, link: string): MailText {
  const words = WORDS[kind];
  const name = oneLine(app);
  const lead = words.lead(name);
  return {
    subject: words.subject(name),
    text: `${lead}\n\n${words.button}:\n${link}\n\n${words.life}\n${words.ignore}\n`,
    html: page(`<p>${escapeHtml(lead)}</p>
<p><a href="${escapeHtml(link)}" style="display:inline-block;padding:10px 16px;background:#1a56db;color:#fff;text-decoration:none;border-radius:4px">${escapeHtml(words.button)}</a></p>
<p style="color:#666">${escapeHtml(words.life)} ${escapeHtml(words.ignore)}</p>`),
  };
}

/** A message as it is sent: HTML of its own, or the text in paragraphs. */
export function messageText(message: { readonly subject: string; readonly text: string; readonly html?: string | undefined }): MailText {
  const paragraphs = message.text.trim().split(/\n{2,}/);
  return {
    subject: oneLine(message.subject),
    text: message.text,
    html: message.html ?? page(paragraphs.map((lines) => `<p>${escapeHtml(lines).replaceAll('\n', '<br>')}</p>`).join('\n')),
  };
}

const page = (body: string): string => `<!doctype html>
<html lang="en"><body style="font-family:sans-serif;line-height:1.5;color:#222">
${body}
</body></html>
`;

/** No control character and no line break, so that nothing can be added to a header; at most 100 characters. */
export const oneLine = (text: string): string => [...text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()].slice(0, 100).join('');
