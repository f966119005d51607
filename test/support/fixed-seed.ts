/**
 * Imported by tests of generated cases. A run that decides whether a change lands must not depend on luck, so its cases are always
 * the same; `PROVE_SEED=random` (or a number) goes looking for new ones.
 */
import fc from 'fast-check';

const wanted = process.env['PROVE_SEED'] ?? '1';
export const SEED = wanted === 'random' ? Date.now() % 2_147_483_647 : Number(wanted);
fc.configureGlobal({ seed: SEED });
