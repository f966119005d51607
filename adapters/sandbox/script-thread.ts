/**
 * The thread of script hooks: a JavaScript interpreter in WebAssembly (QuickJS). A script sees the language and its input and
 * nothing else: no module, no timer, no network, no object of ours. Every call has an interpreter of its own.
 */
import { parentPort } from 'node:worker_threads';
import { newQuickJSWASMModuleFromVariant, type QuickJSContext, type QuickJSWASMModule } from 'quickjs-emscripten-core';
import type { ScriptReply, ScriptRequest } from './script.ts';

const STACK_BYTES = 512 * 1024;

/** Runs inside the interpreter: what it needs of the language is taken before the script can change it. */
const FRAME = `(() => {
  const { parse, stringify } = JSON;
  const { freeze } = Object;
  const compile = Function;
  return (source, input, most) => {
    const { record, old, user, now } = parse(input);
    const given = compile('input', '"use strict"; const { record, old, user, now } = input;\\n' + source);
    const returned = given(freeze({ record, old, user, now }));
    const result = returned === undefined ? record : returned;
    if (typeof result !== 'object' || result === null) throw new TypeError('it must return the record, or nothing');
    if (typeof result.then === 'function') throw new TypeError('it must not be asynchronous');
    const text = stringify(result);
    if (typeof text !== 'string') throw new TypeError('it must return the record, or nothing');
    if (text.length > most) throw new RangeError('it returned more than ' + most + ' characters');
    return text;
  };
})()`;

const MAX_RESULT = 1_000_000;

function call(engine: QuickJSWASMModule, { id, source, input, memoryBytes, timeoutMs }: ScriptRequest): ScriptReply {
  const runtime = engine.newRuntime();
  let isLate = false;
  try {
    runtime.setMemoryLimit(memoryBytes);
    runtime.setMaxStackSize(STACK_BYTES);
    const end = Date.now() + timeoutMs;
    runtime.setInterruptHandler(() => (isLate = Date.now() > end));
    const context = runtime.newContext();
    try {
      return { id, ...evaluate(context, source, input) };
    } finally {
      context.dispose();
    }
  } catch (error) {
    // An interpreter that ran out of memory may not even be taken down in order; the thread ends with it.
    return { id, ok: false, failure: 'broken', message: error instanceof Error ? error.message : String(error) };
  } finally {
    if (!isLate) disposeQuietly(() => runtime.dispose());
  }

  function evaluate(
    context: QuickJSContext,
    text: string,
    given: string,
  ): Omit<Extract<ScriptReply, { ok: true }>, 'id'> | Omit<Extract<ScriptReply, { ok: false }>, 'id'> {
    const frame = context.unwrapResult(context.evalCode(FRAME, 'frame.js'));
    const args = [context.newString(text), context.newString(given), context.newNumber(MAX_RESULT)];
    const result = context.callFunction(frame, context.undefined, ...args);
    for (const handle of [frame, ...args]) handle.dispose();
    if (result.error === undefined) {
      const returned = context.getString(result.value);
      result.value.dispose();
      return { ok: true, text: returned };
    }
    const thrown: unknown = context.dump(result.error);
    result.error.dispose();
    return { ok: false, ...judge(thrown, isLate) };
  }
}

function disposeQuietly(dispose: () => void): void {
  try {
    dispose();
  } catch {
    // Handles that a broken interpreter still holds go with its memory.
  }
}

/** What a script throws is its refusal; what the interpreter throws about the script is a failure of it. */
function judge(thrown: unknown, isLate: boolean): { readonly failure: 'refused' | 'failed' | 'late' | 'memory'; readonly message: string } {
  if (isLate) return { failure: 'late', message: 'it took too long' };
  if (typeof thrown !== 'object' || thrown === null) return { failure: 'refused', message: String(thrown).slice(0, 500) };
  const { name, message } = thrown as { readonly name?: unknown; readonly message?: unknown };
  const words = typeof message === 'string' ? message.slice(0, 500) : 'it failed';
  if (name === 'InternalError') return { failure: 'memory', message: words };
  return { failure: name === 'Error' ? 'refused' : 'failed', message: words };
}

const engine = await newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'));
parentPort?.on('message', (request: ScriptRequest) => parentPort?.postMessage(call(engine, request)));
parentPort?.postMessage({ id: 0, ok: true, text: '' } satisfies ScriptReply);
