/** Schema documents in files, as verbs take them. */
import fs from 'node:fs';
import { ConfigError } from '../adapters/config.ts';

export interface DocumentFile {
  readonly body: string;
  readonly contentType: 'application/yaml' | 'application/json';
}

/** The text as it is: the api reads it, so that its mistakes are told once and in one place. */
export function readDocumentFile(file: string): DocumentFile {
  try {
    return { body: fs.readFileSync(file, 'utf8'), contentType: /\.ya?ml$/.test(file) ? 'application/yaml' : 'application/json' };
  } catch (error) {
    throw new ConfigError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
  }
}
