/**
 * What the functions of one request share over all its tries. A script takes up to seconds, and no transaction may wait for it:
 * inside one it is only noted, the try is given up, the scripts run with nothing open, and the next try finds their answers.
 */
import { AppError } from '../../core/errors.ts';
import { runScript, type ScriptAnswer, type ScriptInput } from '../../adapters/sandbox/script.ts';
import type { ErrorKind } from '../../core/functions/function.ts';

export interface ScriptCall {
  readonly source: string;
  readonly input: ScriptInput;
}

/** One run inside a write, as the log tells it. */
export interface NotedRun {
  readonly attachment: string;
  readonly function: string;
  readonly entity: string;
  readonly recordId: string | null;
  readonly ms: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly failure: { readonly kind: ErrorKind; readonly message: string } | null;
}

export interface FunctionDesk {
  /** By what the script is and what it was given. */
  readonly answers: Map<string, ScriptAnswer>;
  readonly wanted: Map<string, ScriptCall>;
  /** Of the current try. */
  readonly runs: NotedRun[];
}

export const newDesk = (): FunctionDesk => ({ answers: new Map(), wanted: new Map(), runs: [] });

/** The try is to be given up: scripts have to answer first. */
export class ScriptsWanted extends Error {
  override readonly name = 'ScriptsWanted';
}

/** A script's answer may bring up another script, which sees another record; a write has not that many in a row. */
const MAX_ROUNDS = 8;

/** Runs `work`, a try of the write, and says whether scripts are wanted, whatever else came of it. */
export async function unlessScriptsWanted<T>(desk: FunctionDesk, work: () => Promise<T>): Promise<T> {
  desk.runs.length = 0;
  try {
    const result = await work();
    if (desk.wanted.size > 0) throw new ScriptsWanted('scripts have to answer first');
    return result;
  } catch (error) {
    if (desk.wanted.size > 0) throw new ScriptsWanted('scripts have to answer first', { cause: error });
    throw error;
  }
}

/** Answers what was wanted, with no transaction open. */
export async function answerScripts(app: string, desk: FunctionDesk, round: number): Promise<void> {
  if (round > MAX_ROUNDS)
    throw new AppError('CONFLICT', 'The record keeps being changed by others while its scripts run.', { hint: 'Try again.' });
  for (const [key, { source, input }] of desk.wanted) desk.answers.set(key, await runScript(app, source, input));
  desk.wanted.clear();
}

export const scriptKey = ({ source, input }: ScriptCall): string => JSON.stringify([source, input]);
