/** Edits of one item of a section in the document as it is served. Pure: each answers a new document. */
import type { DocumentInput, Section } from './types.ts';

type Item<S extends Section> = NonNullable<DocumentInput[S]>[number];
type AnyItem = Readonly<Record<string, unknown>>;

const listOf = (document: DocumentInput, section: Section): readonly AnyItem[] => (document[section] ?? []) as readonly AnyItem[];

const isItem = (item: AnyItem, key: string): boolean => item['id'] === key || item['name'] === key;

/** The item with this id or name. */
export const itemOf = <S extends Section>(document: DocumentInput, section: S, key: string): Item<S> | undefined =>
  (listOf(document, section).find((item) => item['id'] === key) ?? listOf(document, section).find((item) => isItem(item, key))) as
    Item<S> | undefined;

/** With `item` in place of the one that has its id (or `key`); a new one comes last. */
export function putItem<S extends Section>(document: DocumentInput, section: S, item: Item<S>, key?: string): DocumentInput {
  const items = listOf(document, section);
  const named = key ?? (item as AnyItem)['id'];
  const before = typeof named === 'string' ? items.find((one) => isItem(one, named)) : undefined;
  const next = before === undefined ? [...items, item] : items.map((one) => (one === before ? item : one));
  return { ...document, [section]: next };
}

export const dropItem = (document: DocumentInput, section: Section, key: string): DocumentInput => ({
  ...document,
  [section]: listOf(document, section).filter((item) => !isItem(item, key)),
});
