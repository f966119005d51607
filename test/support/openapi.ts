/** Descriptions of the documents at hand, for every role they name. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SchemaDocument } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';
import { readDocument } from '../../core/model/read-document.ts';
import { describeApi } from '../../core/openapi/document.ts';
import type { JsonObject } from '../../core/openapi/json.ts';
import type { Scopes } from '../../core/policy/access.ts';
import { accessFor } from '../../core/policy/policy.ts';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The examples and the fixture documents, by file name. */
export const knownDocuments: ReadonlyMap<string, SchemaDocument> = new Map(
  ['examples', 'test/fixtures/documents'].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder))
      .filter((file) => /\.(json|ya?ml)$/.test(file))
      .map((file) => [file.replace(/\..*$/, ''), readDocument(fs.readFileSync(path.join(root, folder, file), 'utf8'))] as const),
  ),
);

export const rolesOf = (document: SchemaDocument): string[] => [
  'admin',
  ...new Set(document.permissions.flatMap(({ roles }) => roles.map((role) => role.toLowerCase())).filter((role) => role !== '*')),
  'nobody',
];

const NOW = new Date('2026-06-15T12:00:00Z');

export function describeFor(document: SchemaDocument, role: string, name = 'sample', scopes?: Scopes): JsonObject {
  const model = buildModel(document);
  const kept = new Map<object, unknown>();
  const app = {
    model,
    storage: `app_${name}`,
    memo: <T>(key: object, build: () => T): T => {
      if (!kept.has(key)) kept.set(key, build());
      return kept.get(key) as T;
    },
  };
  const actor = {
    id: '00000000-0000-7000-8000-000000000001',
    email: 'a@example.com',
    roles: [role],
    isAdmin: role === 'admin',
    ...(scopes === undefined ? {} : { scopes }),
  };
  return describeApi({
    name,
    displayName: name,
    version: 3,
    model,
    caller: { isAdmin: actor.isAdmin, scopes, access: (entity, action) => accessFor(app, actor, entity, action, NOW) },
  });
}
