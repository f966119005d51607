/** The draft's steps back and forward, what it does with a text that cannot be read, and what of it stays in the browser. */
import { describe, expect, it } from 'vitest';
import { readText, textOf, writeText } from '../../admin/src/document/text.ts';
import type { DocumentInput } from '../../admin/src/document/types.ts';
import { addField, setField } from '../../admin/src/pages/schema/model/edits.ts';
import {
  fresh,
  fromStored,
  isBroken,
  isChanged,
  reduce,
  resumed,
  STEPS,
  toStored,
  withoutIds,
  type Action,
  type Draft,
} from '../../admin/src/pages/schema/model/history.ts';

const DOCUMENT: DocumentInput = { version: 1, entities: [{ name: 'book', fields: [{ name: 'title', type: 'string' }] }] };
const BASE = { version: 3, document: DOCUMENT };

const edit = (draft: Draft, change: (document: DocumentInput) => DocumentInput): Draft =>
  reduce(draft, { kind: 'edit', document: change(draft.document) });
const grown = (draft: Draft): Draft => edit(draft, (document) => addField(document, 'book', { name: 'field', type: 'string' }).document);
const type = (draft: Draft, text: string, at: number): Draft => reduce(draft, { kind: 'type', text, ...readText(text, 'yaml'), at });
const times = (count: number, draft: Draft, kind: 'undo' | 'redo'): Draft =>
  Array.from({ length: count }).reduce<Draft>((one) => reduce(one, { kind }), draft);
/** As the code view does when it is opened. */
const written = (draft: Draft): Draft =>
  reduce(draft, {
    kind: 'write',
    text: draft.text === undefined ? textOf(draft.document, 'yaml') : writeText(draft.text, 'yaml', draft.document),
  });

describe('steps', () => {
  it('go back twenty times and forward again', () => {
    const draft = Array.from({ length: 20 }).reduce<Draft>(grown, fresh(BASE));
    const back = times(20, draft, 'undo');
    expect(back.document).toBe(DOCUMENT);
    expect(isChanged(back)).toBe(false);
    expect(reduce(back, { kind: 'undo' })).toBe(back);
    expect(times(20, back, 'redo').document).toBe(draft.document);
  });

  it('forget what lay ahead when something else is done', () => {
    const draft = grown(reduce(grown(grown(fresh(BASE))), { kind: 'undo' }));
    expect(draft.future).toEqual([]);
    expect(draft.past).toHaveLength(2);
  });

  it('are kept up to a bound', () => {
    expect(Array.from({ length: STEPS + 20 }).reduce<Draft>(grown, fresh(BASE)).past).toHaveLength(STEPS);
  });

  it('bring back what was discarded', () => {
    const draft = grown(fresh(BASE));
    const gone = reduce(draft, { kind: 'discard' });
    expect(gone.document).toBe(DOCUMENT);
    expect(reduce(gone, { kind: 'undo' }).document).toBe(draft.document);
  });

  it('are gone with what was published', () => {
    expect(reduce(grown(fresh(BASE)), { kind: 'begin' })).toEqual(fresh(BASE));
  });

  it('end where a newer version is taken over', () => {
    const theirs = { version: 4, document: setField(DOCUMENT, 'book', 'title', { required: true }) };
    const draft = reduce(grown(fresh(BASE)), { kind: 'rebase', base: theirs, document: theirs.document });
    expect(draft).toMatchObject({ base: theirs, past: [], future: [] });
    expect(isChanged(draft)).toBe(false);
  });
});

describe('the text', () => {
  it('is one step for what is typed in one go, and another after a pause', () => {
    const start = written(fresh(BASE));
    const text = start.text!;
    const once = type(type(start, `${text}name: a\n`, 1000), `${text}name: ab\n`, 1200);
    expect(once.past).toHaveLength(1);
    const twice = type(once, `${text}name: abc\n`, 9000);
    expect(twice.past).toHaveLength(2);
    expect(reduce(twice, { kind: 'undo' }).document.name).toBe('ab');
  });

  it('follows an edit elsewhere with its comments, and back with a step', () => {
    const start = written(fresh(BASE));
    const commented = type(start, start.text!.replace('- name: book', '- name: book # all of them'), 1000);
    const edited = written(edit(commented, (document) => setField(document, 'book', 'title', { label: 'Title' })));
    expect(edited.text).toContain('# all of them');
    expect(edited.text).toContain('label: Title');
    const back = reduce(edited, { kind: 'undo' });
    expect(back.text).toBe(commented.text);
  });

  it('that cannot be read leaves the document at its last good state, and lets nothing else be edited', () => {
    const start = written(fresh(BASE));
    const broken = type(start, `${start.text!}foo: bar: baz\n`, 1000);
    expect(isBroken(broken)).toBe(true);
    expect(isChanged(broken)).toBe(true);
    expect(broken.document).toBe(DOCUMENT);
    expect(grown(broken)).toBe(broken);
  });

  it('is known to be broken when a step leads back to it', () => {
    const start = written(fresh(BASE));
    const broken = type(start, `${start.text!}foo: bar: baz\n`, 1000);
    const mended = type(broken, start.text!, 9000);
    expect(isBroken(mended)).toBe(false);
    const back = reduce(mended, { kind: 'undo' });
    expect(isBroken(back)).toBe(true);
    expect(isBroken(reduce(back, { kind: 'undo' }))).toBe(false);
  });

  it('that is brought in as a whole is a step of its own, in its own notation', () => {
    const json = JSON.stringify({ version: 1, entities: [] });
    const typedFirst = type(written(fresh(BASE)), 'version: 1\n', 1000);
    const action: Action = { kind: 'type', text: json, ...readText(json, 'json'), format: 'json', at: 1100 };
    const draft = reduce(typedFirst, action);
    expect(draft).toMatchObject({ format: 'json', text: json });
    expect(draft.past).toHaveLength(2);
    expect(reduce(draft, { kind: 'undo' })).toMatchObject({ format: 'yaml', text: 'version: 1\n' });
  });
});

describe('what stays in the browser', () => {
  const again = (draft: Draft): Draft | undefined => {
    const stored = fromStored(JSON.stringify(toStored(draft)));
    return stored === undefined ? undefined : resumed(BASE, stored);
  };

  it('is the draft, also a broken one, upon the version it was made from', () => {
    const draft = grown(fresh(BASE));
    expect(again(draft)).toMatchObject({ document: draft.document, base: BASE, isTextStale: true, past: [] });
    const broken = type(written(draft), 'foo: bar: baz\n', 1000);
    const resumedBroken = again(broken);
    expect(resumedBroken).toMatchObject({ text: 'foo: bar: baz\n', document: draft.document });
    expect(isBroken(resumedBroken!)).toBe(true);
  });

  it('is nothing where nothing is changed, or where somebody else wrote', () => {
    expect(toStored(fresh(BASE))).toBeUndefined();
    expect(fromStored(null)).toBeUndefined();
    expect(fromStored('{"version":')).toBeUndefined();
    expect(fromStored('{"version":"one"}')).toBeUndefined();
    expect(fromStored('null')).toBeUndefined();
  });
});

it('shows no ids of entities, fields and relations', () => {
  const served = {
    ...DOCUMENT,
    exported_at: '2026-01-01T00:00:00Z',
    entities: [{ id: 'ent_1', name: 'book', fields: [{ id: 'fld_1', name: 'title', type: 'string' }] }],
    relations: [{ id: 'rel_1', name: 'self', type: 'one_to_one', source: 'book', target: 'book' }],
  } as DocumentInput;
  expect(JSON.stringify(withoutIds(served))).not.toMatch(/_1|exported_at/);
});
