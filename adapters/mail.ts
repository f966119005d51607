/** Sending mail: by SMTP, or into files under DATA_DIR/outbox on a development start without SMTP_URL. */
import fs from 'node:fs/promises';
import path from 'node:path';
import nodemailer from 'nodemailer';
import type { MailText } from '../core/mail/mails.ts';
import type { Config } from './config.ts';

export interface Mail extends MailText {
  /** The same for every try, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly to: string;
}

export interface Mailer {
  /** Throws MailRefused when the receiver will never take it, anything else when trying again may help. */
  send(mail: Mail): Promise<void>;
  close(): void;
}

/** The receiving server refused this mail for good. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** Undefined when `canMail` is false. */
export function createMailer(config: Config): Mailer | undefined {
  if (config.smtpUrl !== undefined) return bySmtp(config.smtpUrl, config.mailFrom);
  return config.isDevelopment ? intoFiles(path.join(config.dataDir, 'outbox'), config.mailFrom) : undefined;
}

/** The message as nodemailer takes it. Addresses go as objects: nothing in them is parsed into a second receiver. */
const messageOf = (mail: Mail, from: string) => ({
  from,
  to: { name: '', address: mail.to },
  subject: mail.subject,
  text: mail.text,
  html: mail.html,
  messageId: `<${mail.id}@durabase>`,
  headers: { 'Auto-Submitted': 'auto-generated' },
  disableFileAccess: true,
  disableUrlAccess: true,
});

function bySmtp(url: string, from: string): Mailer {
  const transport = nodemailer.createTransport({
    url,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  });
  return {
    async send(mail) {
      try {
        await transport.sendMail(messageOf(mail, from));
      } catch (error) {
        throw isRefusal(error) ? new MailRefused(lineOf(error), { cause: error }) : new Error(lineOf(error), { cause: error });
      }
    },
    close: () => transport.close(),
  };
}

/** A 5xx to the envelope or the message. One to signing in is a mistake of ours and may be corrected while the mail waits. */
function isRefusal(error: unknown): boolean {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  return code !== 'EAUTH' && responseCode !== undefined && responseCode >= 500 && responseCode < 600;
}

const lineOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 300);

function intoFiles(folder: string, from: string): Mailer {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true });
  return {
    async send(mail) {
      const { message } = await transport.sendMail(messageOf(mail, from));
      await fs.mkdir(folder, { recursive: true, mode: 0o700 });
      await fs.writeFile(path.join(folder, `${mail.id}.eml`), message as Buffer, { mode: 0o600 });
    },
    close: () => transport.close(),
  };
}
