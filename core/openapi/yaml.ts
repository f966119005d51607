/** A description as YAML. A general writer takes ten times as long for its megabyte, and the event loop waits. */
import type { Json, JsonObject } from './json.ts';

export const yamlOf = (document: JsonObject): string => `${[...yamlPieces(document)].join('').trimStart()}\n`;

/** The same in pieces: one for each part of each part at the top. */
export function* yamlPieces(document: JsonObject): Generator<string> {
  for (const [name, part] of Object.entries(document)) {
    if (typeof part !== 'object' || part === null || Array.isArray(part) || Object.keys(part).length === 0)
      yield block({ [name]: part }, '');
    else {
      yield `\n${scalar(name)}:`;
      for (const [key, inner] of Object.entries(part)) yield block({ [key]: inner }, '  ');
    }
  }
}

/** Everything JSON calls a text is one in YAML too; words that no reader takes for something else need no quotes. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_][a-z0-9_]*$/i;

const scalar = (value: string): string => (PLAIN.test(value) ? value : JSON.stringify(value).replaceAll(UNPRINTABLE, escaped));

/** JSON writes these as they are; many readers of YAML refuse them. */
const UNPRINTABLE = /[\u007f-\u009f]/g;
const escaped = (character: string): string => `\\u00${character.charCodeAt(0).toString(16)}`;

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
