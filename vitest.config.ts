import { defineConfig } from 'vitest/config';

/** `--mode e2e`: the browser suite. `--mode architecture`: what `npm run check` runs, without any server. */
export default defineConfig(({ mode }) => ({
  test: {
    include:
      mode === 'e2e' ? ['test/e2e/**/*.test.ts'] : mode === 'architecture' ? ['test/architecture/**/*.test.ts'] : ['test/**/*.test.ts'],
    exclude: [...(mode === 'e2e' ? [] : ['test/e2e/**']), 'node_modules/**'],
    globalSetup: mode === 'architecture' ? [] : ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Its own second is too short for a machine that is busy.
    expect: { poll: { timeout: 20_000 } },
  },
}));
