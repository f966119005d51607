import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigError } from '../../adapters/config.ts';
import { classOf, type Change } from '../../core/change/change.ts';
import { diff } from '../../core/change/diff.ts';
import { isAppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { assignStorage } from '../../core/change/storage.ts';
import { assignIds } from '../../core/model/merge.ts';
import { readDocument } from '../../core/model/read-document.ts';
import type { Command } from '../command.ts';
import { readDocumentFile } from '../document-file.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, signIn, type Session } from '../http.ts';
import { refusalText } from '../refusal.ts';
import { changeLines, summaryOf } from '../text/changes.ts';
import { paperOf, type Paper } from '../text/paper.ts';
import { documentOfVersion } from '../versions.ts';

const OPTIONS = { ...CONNECTION_OPTIONS, json: { type: 'boolean', default: false } } as const;

export const command: Command = {
  help: [
    'Usage: durabase diff A B [options]',
    '',
    'What changes from A to B. Each is a file, or the number of a version of the app (0 is the empty document).',
    'Two files are compared without asking an api. A "!" marks a breaking change.',
    '',
    '  --json            {from, to, class, changes}',
    CONNECTION_HELP,
  ].join('\n'),

  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [from, to, ...rest] = positionals;
    if (from === undefined || to === undefined || rest.length > 0)
      throw new ConfigError('Say two things to compare, files or versions: durabase diff A B [--app NAME].');
    const session = isVersion(from) || isVersion(to) ? await signIn(values) : undefined;
    const before = await documentOf(session, from);
    const after = await documentOf(session, to);
    // As a publish would take it: what has no id yet, or says `was`, is found in the document before it.
    const changes = diff(before, assignStorage(assignIds(after, before, randomUUID), before, { version: 1, held: [] }));
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ from, to, class: classOf(changes), changes }, null, 2)}\n`
        : `${text(from, to, changes, paperOf(process.stdout)).join('\n')}\n`,
    );
    return 0;
  },
};

const isVersion = (name: string): boolean => /^\d{1,9}$/.test(name);

async function documentOf(session: Session | undefined, name: string): Promise<SchemaDocument> {
  if (session !== undefined && isVersion(name)) return readDocument(await documentOfVersion(session, Number(name)));
  const { body } = readDocumentFile(name);
  try {
    return readDocument(body);
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw new ConfigError(`${name}: ${refusalText(error)}`);
  }
}

const text = (from: string, to: string, changes: readonly Change[], paper: Paper): string[] => {
  const name = (one: string): string => (isVersion(one) ? `version ${one}` : one);
  return [paper.paint('bold', `${name(from)} to ${name(to)}: ${summaryOf(changes)}`), ...changeLines(changes, paper)];
};
