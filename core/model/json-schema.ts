/** The JSON Schema of the document format, for editors and for whoever checks a document before sending it. */
import { z } from 'zod';
import { documentSchema } from './document.ts';

let generated: object | undefined;

/** Generated from the zod types once; describes what may be written, so options with a default are not required. */
export function documentJsonSchema(): object {
  generated ??= {
    ...z.toJSONSchema(documentSchema, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' }),
    $id: 'urn:durabase:document-schema:1',
    title: 'Durabase schema document',
  };
  return generated;
}
