import type { SchemaDocument } from './document.ts';

/** Sections that documents which were stored before they came do not have. */
const LATER: Partial<SchemaDocument> = { calendars: [], slas: [], functions: [] };

/** A document as it was stored, with every section of today. */
export const fromStore = (document: SchemaDocument): SchemaDocument => ({ ...LATER, ...document });
