import path from 'node:path';
import { expect, it } from 'vitest';
import { importsOf, sourceFiles } from './sources.ts';

/** Each folder may import what is listed: the order of docs/architecture.md, from pure meaning up to processes. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'workflows/contracts': ['core'],
  adapters: ['core', 'workflows/contracts'],
  operations: ['core', 'workflows/contracts', 'adapters'],
  activities: ['core', 'workflows/contracts', 'adapters', 'operations'],
  workflows: ['core', 'workflows/contracts'],
  workers: ['core', 'workflows/contracts', 'adapters', 'operations', 'activities', 'workflows'],
  api: ['core', 'workflows/contracts', 'adapters', 'operations'],
  'infra/local': ['core', 'workflows/contracts', 'adapters'],
  cli: ['core', 'workflows/contracts', 'adapters', 'operations', 'activities', 'workflows', 'workers', 'api', 'infra/local'],
  client: [],
  admin: ['client', 'core'],
};
const CORE_PACKAGES = ['zod', 'jsonata', 're2js', 'yaml', 'ibantools', 'libphonenumber-js'];
const CONTRACT_PACKAGES = ['@temporalio/workflow', '@temporalio/common'];

const folders = [...new Set(Object.keys(ALLOWED).map((folder) => folder.split('/')[0] ?? ''))];
const files = sourceFiles(folders);
const folderOf = (file: string): string =>
  Object.keys(ALLOWED)
    .filter((folder) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0] ?? '';
const targetOf = (file: string, specifier: string): string => path.normalize(path.join(path.dirname(file), specifier));

function isAllowed(file: string, specifier: string, isType: boolean): boolean {
  const from = folderOf(file);
  if (!specifier.startsWith('.')) {
    if (from === 'core') return CORE_PACKAGES.includes(specifier.split('/')[0] ?? '');
    if (from === 'workflows' || from === 'workflows/contracts') return CONTRACT_PACKAGES.some((name) => specifier.startsWith(name));
    return true;
  }
  const to = folderOf(targetOf(file, specifier));
  return to === from || to === '' || (ALLOWED[from] ?? []).includes(to) || (from === 'workflows' && to === 'activities' && isType);
}

it('every import goes down the ranks', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier, isType }) => !isAllowed(file, specifier, isType))
      .map(({ specifier }) => `${file} -> ${specifier}`),
  );
  expect(wrong).toEqual([]);
});

it('no files import each other in a circle', () => {
  const edges = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => targetOf(file, specifier)),
    ]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === 'open') circles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    if (state.has(file)) return;
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});
