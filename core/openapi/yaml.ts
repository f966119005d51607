/** A description as YAML. A general writer takes ten times as long for its megabyte, and the event loop waits. */
import type { Json } from './json.ts';

export const yamlOf = (node: Json): string => `${block(node, '').trimStart()}\n`;

/** Everything JSON calls a text is one in YAML too; words that no reader takes for something else need no quotes. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_][a-z0-9_]*$/i;

const scalar = (value: string): string => (PLAIN.test(value) ? value : JSON.stringify(value));

/** What stands behind a key or a dash: on the same line, or on lines of its own. */
function block(node: Json, indent: string): string {
  if (typeof node === 'string') return ` ${scalar(node)}`;
  if (typeof node !== 'object' || node === null) return ` ${String(node)}`;
  if (Array.isArray(node)) return node.length === 0 ? ' []' : node.map((part: Json) => item(part, indent)).join('');
  const entries = Object.entries(node);
  return entries.length === 0
    ? ' {}'
    : entries.map(([key, part]: [string, Json]) => `\n${indent}${scalar(key)}:${block(part, `${indent}  `)}`).join('');
}

/** The first line of an object stands behind the dash. */
function item(part: Json, indent: string): string {
  const text = block(part, `${indent}  `);
  return `\n${indent}-${text.startsWith('\n') ? ` ${text.trimStart()}` : text}`;
}
