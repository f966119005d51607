import { stringify } from 'yaml';

export type Format = 'yaml' | 'json';

/** A document as people read it; the same document always gives the same text, so that two compare line by line. */
export const documentText = (document: Readonly<Record<string, unknown>>, format: Format): string =>
  format === 'yaml' ? stringify(document, { lineWidth: 120 }) : `${JSON.stringify(document, null, 2)}\n`;
