/** The meta-schema of documents, as far as forms and completion read it: which options there are, of which type, within which bounds. */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | boolean)[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/** The schema of what stands at these steps; `*` is an item of a list. */
export function metaAt(meta: JsonSchema | undefined, ...steps: readonly string[]): JsonSchema | undefined {
  return steps.reduce<JsonSchema | undefined>((schema, step) => (step === '*' ? schema?.items : schema?.properties?.[step]), meta);
}
