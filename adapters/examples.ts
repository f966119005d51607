/** The example documents that come with the product: read from the package once, served to whoever wants to begin with one. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Example {
  readonly name: string;
  readonly entities: readonly string[];
  /** How many sample records it brings. */
  readonly records: number;
  /** The document as it stands in its file. */
  readonly text: string;
}

interface ExampleDocument {
  readonly name: string;
  readonly entities: readonly { readonly name: string }[];
  readonly sample_data?: Readonly<Record<string, readonly unknown[]>>;
}

let cached: readonly Example[] | undefined;

/** In the order of their files' names; none where the package was installed without them. */
export function examples(): readonly Example[] {
  return (cached ??= readFolder());
}

function readFolder(): readonly Example[] {
  const here = path.dirname(fileURLToPath(import.meta.url));
  // Seen from the sources and from `dist/cli`.
  const folder = [path.join(here, '../examples'), path.join(here, '../../examples')].find((candidate) => fs.existsSync(candidate));
  if (folder === undefined) return [];
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => readExample(fs.readFileSync(path.join(folder, file), 'utf8')));
}

function readExample(text: string): Example {
  const document = JSON.parse(text) as ExampleDocument;
  const records = Object.values(document.sample_data ?? {}).reduce((sum, rows) => sum + rows.length, 0);
  return { name: document.name, entities: document.entities.map((entity) => entity.name), records, text };
}
