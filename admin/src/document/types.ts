/** The schema document as it is written: options that only repeat a default may be left out. */
import type { z } from 'zod';
import type { documentSchema, entitySchema, fieldSchema, relationSchema } from '../../../core/model/document.ts';
import type { Section } from '../../../core/model/document.ts';

export type DocumentInput = z.input<typeof documentSchema>;
export type EntityInput = z.input<typeof entitySchema>;
export type FieldInput = z.input<typeof fieldSchema>;
export type RelationInput = z.input<typeof relationSchema>;
export type IndexInput = NonNullable<EntityInput['indexes']>[number];
export type InstructionInput = NonNullable<DocumentInput['migrate']>[number];
export type { Section };

/** The document of an app that has none yet. */
export const EMPTY: DocumentInput = { version: 1, entities: [], relations: [] };

export const entitiesOf = (document: DocumentInput): readonly EntityInput[] => document.entities ?? [];
export const relationsOf = (document: DocumentInput): readonly RelationInput[] => document.relations ?? [];
