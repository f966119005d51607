/** Users' regular expressions: linear-time (RE2) only, so no pattern can stop the process. */
import { RE2JS } from 're2js';
import { AppError } from '../../errors.ts';

const compiled = new Map<string, RE2JS>();
const MAX_COMPILED = 1000;

/** True when the text holds a match anywhere; anchor with `^` and `$` for the whole. */
export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern).matcher(text).find();
}

/** The compiled pattern; refuses with VALIDATION_FAILED what RE2 does not know (lookarounds, back references). */
export function compilePattern(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('VALIDATION_FAILED', `The pattern ${pattern} is not a regular expression we can run: ${reason}`, {
      hint: 'Patterns use RE2 syntax: no lookahead, lookbehind or back references.',
      cause,
    });
  }
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(pattern, regex);
  return regex;
}
