/** What is told about tasks, in mails and in the app: our own words, or the app's with `{{paths}}` filled in. */
import type { NoticeKind } from '../model/approval-step.ts';

export interface NoticeFacts {
  readonly app: string;
  readonly workflow: string;
  /** The step's title, or its id. */
  readonly title: string;
  readonly dueAt: string | null;
  readonly link: string;
  /** Who did what is told, in words. */
  readonly by?: string;
  readonly comment?: string;
  /** With an outcome. */
  readonly status?: string;
}

export interface NoticeText {
  readonly subject: string;
  readonly text: string;
}

const PLACEHOLDER = /\{\{\s*([a-zA-Z_][\w.-]*)\s*\}\}/g;

/** The paths a text reads. */
export const placeholdersOf = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');

/** Fills in each path; a value is text, never a placeholder again. Nothing there leaves nothing. */
export const fillIn = (text: string, valueOf: (path: string) => unknown): string =>
  text.replace(PLACEHOLDER, (_, path: string) => shown(valueOf(path)));

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value as string | number | boolean);
}

/** Our own words. */
export function noticeText(kind: NoticeKind, facts: NoticeFacts): NoticeText {
  const { subject, lead } = words(kind, facts);
  const due = facts.dueAt === null || kind === 'outcome' ? [] : [`Due: ${facts.dueAt}`];
  const comment = facts.comment === undefined ? [] : [`"${facts.comment}"`];
  return { subject, text: [lead, ...comment, ...due, facts.link].join('\n\n') };
}

function words(kind: NoticeKind, { title, workflow, by, status }: NoticeFacts): { subject: string; lead: string } {
  switch (kind) {
    case 'assigned':
      return { subject: `To decide: ${title}`, lead: `Your decision is asked for: ${title} (${workflow}).` };
    case 'reminder':
      return { subject: `Still to decide: ${title}`, lead: `Your decision is still waited for: ${title} (${workflow}).` };
    case 'escalation':
      return { subject: `Brought to you: ${title}`, lead: `Nobody has decided yet, so it was brought to you: ${title} (${workflow}).` };
    case 'delegation':
      return { subject: `Given to you: ${title}`, lead: `${by ?? 'Somebody'} asks you to decide in their place: ${title} (${workflow}).` };
    case 'outcome':
      return {
        subject: `${title}: ${status ?? 'decided'}`,
        lead: `${title} (${workflow}) was ${status ?? 'decided'}${by === undefined ? '' : ` by ${by}`}.`,
      };
  }
}
