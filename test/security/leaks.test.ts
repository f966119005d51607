/** The proof of `npm run prove -- leaks`, small. */
import { expect, it } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { described, proveLeaks } from './leak-proof.ts';

it('two databases that differ in hidden data only give the same answers to every clause', async () => {
  const step = Number(process.env['LEAK_STEP'] ?? 7);
  const urls = [await freshDatabase(), await freshDatabase()] as const;
  const { asked, succeeded, failed, leaks } = await proveLeaks(urls, { step, combined: 40, seed: 7 });
  expect(failed).toEqual([]);
  expect(leaks.map(described)).toEqual([]);
  expect(asked).toBeGreaterThan(800);
  // Answers that are all refusals would prove nothing.
  expect(succeeded).toBeGreaterThan(asked / 8);
}, 120_000);
