/** Run before the tests: compiling a server takes longer than any test may. */
import { findTemporal } from './temporal.ts';

try {
  await findTemporal((line) => void process.stderr.write(`· ${line}\n`));
  process.exit(0);
} catch (error) {
  process.stderr.write(`durabase: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
