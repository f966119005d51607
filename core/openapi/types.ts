/** TypeScript types of an app's data for the client, made from its OpenAPI description: what the caller may not use has no type. */
type Node = Readonly<Record<string, unknown>>;

/** One module with a type `Schema`, to be given to `createClient<Schema>(…)`. */
export function typesOf(description: Node): string {
  const schemas = nodeAt(nodeAt(description, 'components'), 'schemas');
  const info = nodeAt(description, 'info');
  const entities = Object.keys(schemas).filter((name) => /^[a-z][a-z0-9_]*$/.test(name));
  return [
    `// Schema version ${String(Number(info['version']))}. Made by \`durabase types\`; do not edit.`,
    '',
    'export type Schema = {',
    ...entities.map((name) => `  ${name}: {\n${entityText(schemas, name)}  };`),
    '};',
    '',
  ].join('\n');
}

/** What the caller may not do takes `never`. */
function entityText(schemas: Node, name: string): string {
  const written = (part: string): string => (`${name}.${part}` in schemas ? typeText(schemas, schemas[`${name}.${part}`], 4) : 'never');
  const parts = {
    record: typeText(schemas, schemas[name], 4),
    create: written('create'),
    update: written('update'),
    relations: relationsText(nodeAt(schemas, `${name}.selection`), new Set(Object.keys(schemas))),
  };
  return Object.entries(parts)
    .map(([part, text]) => `    ${part}: ${text};\n`)
    .join('');
}

/** Included records are the properties of a selection that refer to another selection. */
function relationsText(selection: Node, known: ReadonlySet<string>): string {
  const relations = Object.entries(nodeAt(selection, 'properties')).flatMap(([name, schema]) => {
    const target = /"#\/components\/schemas\/([a-z0-9_]+)\.selection"/.exec(JSON.stringify(schema))?.[1];
    if (target === undefined || !known.has(target)) return [];
    const isMany = JSON.stringify(schema).includes('"type":"array"');
    return [`      ${name}: { entity: '${target}'; many: ${String(isMany)} };\n`];
  });
  return relations.length === 0 ? 'Record<never, never>' : `{\n${relations.join('')}    }`;
}

const MAX_DEPTH = 6;

/** A JSON Schema of our own making as a type; nested rows are followed a few levels deep. */
function typeText(schemas: Node, given: unknown, indent: number, depth = 0): string {
  const schema = (typeof given === 'object' && given !== null ? given : {}) as Node;
  const pointer = schema['$ref'];
  if (typeof pointer === 'string') {
    const target = pointer.split('/').at(-1) ?? '';
    if (target === 'Json') return 'unknown';
    return depth >= MAX_DEPTH || target.endsWith('.nested')
      ? 'Record<string, unknown>'
      : typeText(schemas, schemas[target], indent, depth + 1);
  }
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(schema['anyOf'])) {
    return [...new Set(schema['anyOf'].map((part: unknown) => typeText(schemas, part, indent, depth)))].join(' | ');
  }
  const types = [schema['type']].flat();
  return [...new Set(types.map((type) => plainText(schemas, schema, type, indent, depth)))].join(' | ');
}

function plainText(schemas: Node, schema: Node, type: unknown, indent: number, depth: number): string {
  switch (type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return `readonly (${typeText(schemas, schema['items'], indent, depth)})[]`;
    case 'object':
      return objectText(schemas, schema, indent, depth);
    default:
      return 'unknown';
  }
}

function objectText(schemas: Node, schema: Node, indent: number, depth: number): string {
  const properties = Object.entries(nodeAt(schema, 'properties'));
  if (properties.length === 0) return 'Record<string, unknown>';
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  const space = ' '.repeat(indent + 2);
  const lines = properties.map(
    ([name, part]) => `${space}${name}${required.has(name) ? '' : '?'}: ${typeText(schemas, part, indent + 2, depth)};\n`,
  );
  return `{\n${lines.join('')}${' '.repeat(indent)}}`;
}

const nodeAt = (node: Node, name: string): Node => (node[name] ?? {}) as Node;
