import { useRead } from '../../api/use-api.ts';
import type { JsonSchema } from './meta-schema.ts';

/** The meta-schema as the server tells it. */
export const useMeta = (): JsonSchema | undefined => useRead<JsonSchema>('/api/_platform/document-schema.json').data;
