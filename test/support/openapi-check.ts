/**
 * Holds real answers against a description: the status must be documented, the content type and the headers too, and the body
 * must fit the schema. It knows the JSON Schema words our generator uses and fails on any other.
 */
type Node = Readonly<Record<string, unknown>>;

export interface SeenAnswer {
  readonly method: string;
  /** With the query string, if any. */
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What does not fit, one line each; empty when everything does. */
export function complaintsAbout(description: Node, answer: SeenAnswer): string[] {
  const label = `${answer.method} ${answer.path} ${String(answer.status)}`;
  const operation = operationOf(description, answer.method, answer.path.split('?')[0] ?? '');
  if (operation === undefined) return [`${label}: no such operation`];
  const response = resolve(description, (operation['responses'] as Node)[String(answer.status)]);
  if (response === undefined) return [`${label}: the status is not documented`];
  const missing = Object.keys((response['headers'] as Node | undefined) ?? {}).filter(
    (name) => !/^(Retry-After|Idempotent-Replayed|Schema-Version|RateLimit-.*)$/.test(name) && !answer.headers.has(name),
  );
  const content = response['content'] as Node | undefined;
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (content === undefined)
    return [...missing.map((name) => `${label}: no header ${name}`), ...(answer.text === '' ? [] : [`${label}: a body`])];
  const media = content[type] as Node | undefined;
  if (media === undefined) return [`${label}: the content type "${type}" is not documented`];
  const body: unknown = type === 'application/json' ? JSON.parse(answer.text) : answer.text;
  return [
    ...missing.map((name) => `${label}: no header ${name}`),
    ...schemaErrors(description, media['schema'], body, '').map((error) => `${label}: ${error}`),
  ];
}

/** The operation a concrete path means; literal paths win over templates. */
export function operationOf(description: Node, method: string, path: string): Node | undefined {
  const paths = Object.entries(description['paths'] as Record<string, Node>);
  const fitting = paths.filter(([template]) =>
    new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const [best] = fitting.sort(([a], [b]) => (a.match(/\{/g)?.length ?? 0) - (b.match(/\{/g)?.length ?? 0));
  return best?.[1][method.toLowerCase()] as Node | undefined;
}

function resolve(description: Node, node: unknown): Node | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const pointer = (node as Node)['$ref'];
  if (typeof pointer !== 'string') return node as Node;
  const target = pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((part, key) => (part as Node)[key], description);
  return resolve(description, target);
}

const KNOWN = new Set(
  'type enum const properties required additionalProperties items anyOf allOf pattern format minimum maximum minLength maxLength minItems maxItems description default examples readOnly $ref'.split(
    ' ',
  ),
);

/** Why a value does not fit a schema of the description. */
export function schemaErrors(description: Node, given: unknown, value: unknown, path: string): string[] {
  const schema = resolve(description, given) ?? {};
  const unknown = Object.keys(schema).find((word) => !KNOWN.has(word));
  if (unknown !== undefined) throw new TypeError(`The checker does not know "${unknown}".`);
  const within = (part: unknown): string[] => schemaErrors(description, part, value, path);
  const where = path === '' ? 'the body' : path;
  const types = schema['type'] === undefined ? [] : [schema['type']].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type as string, value)))
    return [`${where} is ${JSON.stringify(value)}, no ${types.join(' or ')}`];
  const errors: string[] = [];
  if ('enum' in schema && !(schema['enum'] as unknown[]).includes(value))
    errors.push(`${where} is ${JSON.stringify(value)}, none of the enum`);
  if ('const' in schema && schema['const'] !== value) errors.push(`${where} is not ${JSON.stringify(schema['const'])}`);
  if (Array.isArray(schema['allOf'])) errors.push(...schema['allOf'].flatMap(within));
  if (Array.isArray(schema['anyOf'])) {
    const all = schema['anyOf'].map(within);
    if (!all.some((found) => found.length === 0))
      errors.push(`${where} fits none of anyOf (${all.map(([first]) => first ?? '').join('; ')})`);
  }
  if (typeof value === 'string') errors.push(...textErrors(schema, value, where));
  if (typeof value === 'number') {
    if (value < Number(schema['minimum'] ?? value) || value > Number(schema['maximum'] ?? value)) errors.push(`${where} is out of bounds`);
  }
  if (Array.isArray(value)) {
    if (schema['items'] !== undefined)
      errors.push(...value.flatMap((item, index) => schemaErrors(description, schema['items'], item, `${path}[${String(index)}]`)));
  } else if (typeof value === 'object' && value !== null) errors.push(...objectErrors(description, schema, value as Node, path));
  return errors;
}

function objectErrors(description: Node, schema: Node, value: Node, path: string): string[] {
  const properties = (schema['properties'] ?? {}) as Node;
  const missing = ((schema['required'] ?? []) as string[]).filter((name) => !(name in value)).map((name) => `${path}.${name} is missing`);
  const parts = Object.entries(value).flatMap(([name, part]) => {
    if (name in properties) return schemaErrors(description, properties[name], part, `${path}.${name}`);
    return schema['additionalProperties'] === false ? [`${path}.${name} is not described`] : [];
  });
  return [...missing, ...parts];
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  email: /^[^\s@]+@[^\s@]+$/,
  uri: /^https?:\/\//,
};

function textErrors(schema: Node, value: string, where: string): string[] {
  const format = FORMATS[String(schema['format'])];
  const errors: string[] = [];
  if (schema['format'] !== undefined && format === undefined)
    throw new TypeError(`The checker does not know the format "${String(schema['format'])}".`);
  if (format !== undefined && !format.test(value)) errors.push(`${where} is "${value}", no ${String(schema['format'])}`);
  if (typeof schema['pattern'] === 'string' && !new RegExp(schema['pattern'], 'u').test(value))
    errors.push(`${where} does not match its pattern`);
  return errors;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
