import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_STATUS } from '../../core/errors.ts';
import { root } from './sources.ts';

it('docs/errors.md lists the codes of core/errors.ts with their statuses, each with its meaning', () => {
  const text = fs.readFileSync(path.join(root, 'docs', 'errors.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (.+?) \| (.+?) \|$/gm)];
  expect(Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]))).toEqual(ERROR_STATUS);
});
