import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

it('says what to install when there is neither a Temporal server nor a way to get one', { timeout: 90_000 }, async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-home-'));
  try {
    const entry = path.join(import.meta.dirname, '../../dist/cli/ensure-temporal.js');
    // No program is on this PATH, and a proxy that is not there stands for a machine without the Internet.
    const nowhere = 'http://127.0.0.1:9';
    const env = { HOME: home, PATH: home, HTTPS_PROXY: nowhere, https_proxy: nowhere };
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, [entry], { env }, (_error, _stdout, stderr) => resolve(stderr));
    });
    expect(output).toContain('The download did not answer');
    expect(output).toContain('Put the temporal command on PATH');
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
});
