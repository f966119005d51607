/**
 * The document as text, YAML or JSON, and back. A change of the document is written into the nodes of the text it came from, so that
 * comments, order and blank lines stay where they are; nothing is dumped anew but what is new.
 */
import {
  Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Scalar,
  type Node,
  type Pair,
  visit,
  YAMLMap,
  YAMLSeq,
} from 'yaml';
import { isSameItem } from './same-item.ts';
import type { DocumentInput } from './types.ts';

export type Format = 'yaml' | 'json';

/** A mistake of the text, at its place. */
export interface TextMistake {
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

export interface ReadText {
  /** Undefined when the text cannot be read, or says something that is no document at all. */
  readonly document: DocumentInput | undefined;
  readonly mistakes: readonly TextMistake[];
}

const MAX_ALIASES = 100;

/** Reads a text; what is read may still be refused by the server's judgement, but it can be drawn. */
export function readText(text: string, format: Format): ReadText {
  if (format === 'json') {
    const mistake = jsonMistake(text);
    if (mistake !== undefined) return { document: undefined, mistakes: [mistake] };
  }
  const parsed = parse(text);
  const mistakes = parsed.errors.map((error) => ({
    from: error.pos[0],
    to: Math.max(error.pos[1], error.pos[0] + 1),
    message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.code,
  }));
  if (mistakes.length > 0) return { document: undefined, mistakes };
  try {
    const value: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
    const wrong = shapeMistake(value);
    if (wrong === undefined) return { document: value as DocumentInput, mistakes: [] };
    const place = placeOf(text, wrong.path);
    return { document: undefined, mistakes: [{ ...place, message: wrong.message }] };
  } catch (error) {
    // The library refuses texts whose aliases expand without end.
    return { document: undefined, mistakes: [{ from: 0, to: 1, message: error instanceof Error ? error.message : String(error) }] };
  }
}

const parse = (text: string): Document.Parsed => parseDocument(text, { version: '1.2', prettyErrors: false, keepSourceTokens: false });

/** YAML takes more than JSON does: what only JSON refuses is told where its parser stopped. */
function jsonMistake(text: string): TextMistake | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    const from = position === undefined ? Math.max(text.length - 1, 0) : Number(position);
    return { from, to: from + 1, message: message.replace(/ in JSON at position \d+.*$/s, '') };
  }
}

interface ShapeMistake {
  readonly path: string;
  readonly message: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The least that can be drawn: lists of named things. Everything else is for the server to judge. */
function shapeMistake(value: unknown): ShapeMistake | undefined {
  if (!isObject(value)) return { path: '', message: 'A schema document is an object with "version" and "entities".' };
  for (const section of ['entities', 'relations'] as const) {
    const items = value[section] ?? [];
    if (!Array.isArray(items)) return { path: section, message: `${section} must be a list.` };
    const wrong = items.findIndex((item) => !isObject(item) || typeof item['name'] !== 'string');
    if (wrong !== -1) return { path: `${section}.${wrong}`, message: `${section}.${wrong} needs a name.` };
  }
  return ((value['entities'] ?? []) as readonly Readonly<Record<string, unknown>>[])
    .map((entity, at): ShapeMistake | undefined => {
      const fields = entity['fields'];
      const path = `entities.${at}.fields`;
      if (!Array.isArray(fields)) return { path: `entities.${at}`, message: `${path} must be a list.` };
      const wrong = fields.findIndex((field) => !isObject(field) || typeof field['name'] !== 'string');
      return wrong === -1 ? undefined : { path: `${path}.${wrong}`, message: `${path}.${wrong} needs a name.` };
    })
    .find((mistake) => mistake !== undefined);
}

/** A text of its own for a document that has none yet. */
export const textOf = (document: DocumentInput, format: Format): string =>
  format === 'json' ? `${JSON.stringify(document, null, 2)}\n` : new Document(document).toString({ lineWidth: 0 });

/** The text with `document` in place of what it says. A text that cannot be read is replaced. */
export function writeText(text: string, format: Format, document: DocumentInput): string {
  if (format === 'json') return textOf(document, 'json');
  const parsed = parse(text);
  if (parsed.errors.length > 0 || !isMap(parsed.contents)) return textOf(document, 'yaml');
  const before: unknown = parsed.toJS({ maxAliasCount: MAX_ALIASES });
  parsed.contents = new Writer(parsed).write(parsed.contents, before, document) as Document.Parsed['contents'];
  keepPadding(parsed, text);
  return parsed.toString({ lineWidth: 0, ...layoutOf(text) });
}

/** How deep the text indents, and whether its lists are indented below their key. */
function layoutOf(text: string): { readonly indent: number; readonly indentSeq: boolean } {
  const indent = /^[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( +)\S/m.exec(text)?.[1]?.length ?? 2;
  return { indent: Math.min(Math.max(indent, 2), 8), indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n\1- /m.test(text) };
}

/** `[a, b]` and `{ a: 1 }` side by side is common; the library knows one padding for both, so each collection says its own. */
function keepPadding(document: Document.Parsed, text: string): void {
  const keep = (node: YAMLMap | YAMLSeq): void => {
    if (node.flow !== true) return;
    const start = node.range?.[0];
    const isPadded = start === undefined ? isMap(node) : text[start + 1] === ' ';
    const stringify = isMap(node) ? YAMLMap.prototype.toString : YAMLSeq.prototype.toString;
    node.toString = (context, ...rest) =>
      stringify.call(node, context === undefined ? undefined : { ...context, flowCollectionPadding: isPadded ? ' ' : '' }, ...rest);
  };
  visit(document, { Map: (_, node) => keep(node), Seq: (_, node) => keep(node) });
}

/** Comments and all: the same text, laid out as we lay it out. */
export function formatText(text: string, format: Format): string {
  if (format === 'json') return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
  return parse(text).toString({ lineWidth: 0, indent: 2, indentSeq: true });
}

/** The other notation. Comments have no place in JSON: they are lost on the way there. */
export function convertText(text: string, to: Format): string {
  const { document } = readText(text, to === 'json' ? 'yaml' : 'json');
  return document === undefined ? text : textOf(document, to);
}

class Writer {
  readonly #document: Document.Parsed;

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  /** `node` says `before`; the answer says `after`, and is `node` wherever it can be. */
  write(node: Node, before: unknown, after: unknown): Node {
    if (isSameValue(before, after)) return node;
    if (isMap(node) && isObject(before) && isObject(after)) return this.#writeMap(node, before, after);
    if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) return this.#writeList(node, before, after);
    if (isScalar(node) && isPlain(after)) return rewritten(node, after);
    return this.#made(after, node);
  }

  #writeMap(map: YAMLMap, before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): Node {
    const kept = (map.items as Pair<Node, Node | null>[]).filter((pair) => {
      const key = keyOf(pair);
      return key in after && after[key] !== undefined;
    });
    for (const pair of kept) {
      const key = keyOf(pair);
      if (pair.value === null) pair.value = isSameValue(before[key], after[key]) ? null : this.#made(after[key]);
      else pair.value = this.write(pair.value, before[key], after[key]);
    }
    const items = [...kept];
    const keys = Object.keys(after).filter((key) => after[key] !== undefined);
    for (const [at, key] of keys.entries()) {
      if (items.some((pair) => keyOf(pair) === key)) continue;
      const pair = this.#document.createPair(key, after[key]) as Pair<Node, Node | null>;
      const previous = keys[at - 1];
      const place = previous === undefined ? 0 : items.findIndex((other) => keyOf(other) === previous) + 1;
      items.splice(place, 0, pair);
    }
    map.items = items;
    return map;
  }

  #writeList(list: YAMLSeq, before: readonly unknown[], after: readonly unknown[]): Node {
    const nodes = list.items as Node[];
    const places = placesOf(before, after);
    const isFlow = nodes.length > 0 && nodes.every((node) => isCollection(node) && node.flow === true);
    list.items = after.map((item, at) => {
      const place = places[at];
      const node = place === undefined ? undefined : nodes[place];
      if (node !== undefined && place !== undefined) return this.write(node, before[place], item);
      const made = this.#made(item);
      if (isFlow && isCollection(made)) made.flow = true;
      return made;
    });
    return list;
  }

  /** A new node; what was said beside the one it stands for is kept. */
  #made(value: unknown, instead?: Node): Node {
    const node = this.#document.createNode(value, { aliasDuplicateObjects: false }) as Node;
    if (instead === undefined || isAlias(instead)) return node;
    if (instead.commentBefore !== undefined) node.commentBefore = instead.commentBefore;
    if (instead.comment !== undefined) node.comment = instead.comment;
    if (instead.spaceBefore !== undefined) node.spaceBefore = instead.spaceBefore;
    if (isCollection(node) && isCollection(instead) && instead.flow === true) node.flow = true;
    return node;
  }
}

function rewritten(node: Scalar, value: string | number | boolean | null): Scalar {
  const isStillText = typeof node.value === 'string' && typeof value === 'string';
  node.value = value;
  delete node.source;
  delete node.format;
  if (!isStillText) delete node.type;
  return node;
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

const keyOf = ({ key }: Pair<Node, Node | null>): string => String(isScalar(key) ? key.value : key);

/** Where in the old list each item of the new one was: the same thing first, then whatever is left at the same place. */
function placesOf(before: readonly unknown[], after: readonly unknown[]): (number | undefined)[] {
  const free = new Set(before.keys());
  const take = (place: number | undefined): number | undefined => {
    if (place === undefined || place === -1) return undefined;
    free.delete(place);
    return place;
  };
  const equal = after.map((item, at) =>
    // Most lists differ in one item: what is at its place still is looked for there first.
    free.has(at) && isSameValue(before[at], item)
      ? take(at)
      : take([...free].find((place) => isSameItem(before[place], item) || isSameValue(before[place], item))),
  );
  // What has no name, or got another one in its place, is what it was.
  const isSameLength = before.length === after.length;
  return equal.map((place, at) => place ?? (free.has(at) && (isSameLength || isUnnamed(before[at])) ? take(at) : undefined));
}

const isUnnamed = (item: unknown): boolean => isObject(item) && item['name'] === undefined && item['id'] === undefined;

function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => isSameValue(item, b[at]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(b).filter((key) => b[key] !== undefined);
  return Object.keys(a).filter((key) => a[key] !== undefined).length === keys.length && keys.every((key) => isSameValue(a[key], b[key]));
}

export interface Place {
  readonly from: number;
  readonly to: number;
}

/**
 * Where a dotted path of the document (`entities.2.fields.0.type`) stands in the text: the value, or for what is missing the nearest
 * thing around it. `asKey` gives the place of the name before the value.
 */
export function placeOf(text: string, path: string, asKey = false): Place {
  return placesIn(text)(path, asKey);
}

/** The same for many paths of one text, which is read once. */
export function placesIn(text: string): (path: string, asKey?: boolean) => Place {
  const { contents } = parse(text);
  return (path, asKey = false) => {
    let node: unknown = contents;
    let place: Place = { from: 0, to: Math.max(1, text.indexOf('\n') === -1 ? text.length : text.indexOf('\n')) };
    for (const part of path === '' ? [] : path.split('.')) {
      const next = stepInto(node, part);
      if (next === undefined) break;
      node = next.value;
      place = rangeOf((asKey || next.value === null) && next.key !== undefined ? next.key : next.value) ?? rangeOf(next.key) ?? place;
    }
    return firstLine(text, place);
  };
}

function stepInto(node: unknown, part: string): { readonly value: unknown; readonly key?: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(part)];
    return item === undefined ? undefined : { value: item };
  }
  if (!isMap(node)) return undefined;
  const pair = (node.items as Pair<Node, Node | null>[]).find((one) => keyOf(one) === part);
  return pair === undefined ? undefined : { value: pair.value, key: pair.key };
}

function rangeOf(node: unknown): Place | undefined {
  const range = (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range;
  return range === undefined || range === null ? undefined : { from: range[0], to: Math.max(range[1], range[0] + 1) };
}

/** A whole entity underlined says nothing: its first line does. */
function firstLine(text: string, { from, to }: Place): Place {
  const end = text.indexOf('\n', from);
  return { from, to: end === -1 ? to : Math.max(Math.min(to, end), from + 1) };
}
