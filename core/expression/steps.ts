/** The work one evaluation has done. Evaluations are synchronous, so one counter serves all of them. */
import { AppError } from '../errors.ts';

/** List items touched, and for every 64 characters of a text one more. */
const MAX_STEPS = 200_000;
let steps = 0;

export function startSteps(): void {
  steps = 0;
}

export function countSteps(amount: number): void {
  steps += amount;
  if (steps > MAX_STEPS) {
    throw new AppError('TOO_LARGE', `An expression took more than ${MAX_STEPS} steps.`, {
      hint: 'Let it go over fewer list items or shorter texts.',
    });
  }
}

export const countText = (text: string): void => countSteps(text.length >> 6);
