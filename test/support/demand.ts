/** For proofs that also run outside a test runner: ends the proof with what does not hold. */
export function demand(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}
