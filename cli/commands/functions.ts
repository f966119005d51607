import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { functionsMarkdown, withFunctions } from '../../core/functions/markdown.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  help: [
    'durabase functions [--write FILE]',
    '',
    'Prints the functions that a document may attach, with their parameters, as Markdown.',
    '--write puts them into FILE behind the mark there, or at its end.',
  ].join('\n'),
  run(args) {
    const { values } = parseArgs({ args: [...args], options: { write: { type: 'string' } }, strict: true });
    if (values.write === undefined) process.stdout.write(`${functionsMarkdown()}\n`);
    else fs.writeFileSync(values.write, withFunctions(fs.readFileSync(values.write, 'utf8')));
    return Promise.resolve(0);
  },
};
