/**
 * Named places where a proof may kill this process. `armCrashPoint('process.after_effect:2')` makes the second pass of that
 * place the last thing the process does. Config hands over `CRASH_AT` only under DURABASE_TEST; otherwise a pass costs one
 * comparison.
 */
let armed: { readonly name: string; remaining: number } | undefined;

/** Arms (or, given undefined, disarms) the place; the number after the colon is the pass that dies, 1 when left out. */
export function armCrashPoint(crashAt: string | undefined): void {
  const match = /^([\w.-]+)(?::(\d+))?$/.exec(crashAt ?? '');
  armed = match?.[1] === undefined ? undefined : { name: match[1], remaining: Number(match[2] ?? 1) };
}

/** Ends the process with SIGKILL, as a power cut would, when this place is armed and its pass has come. */
export function crashPoint(name: string): void {
  if (armed === undefined || armed.name !== name || --armed.remaining > 0) return;
  process.kill(process.pid, 'SIGKILL');
}
