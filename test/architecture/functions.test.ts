import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { withFunctions } from '../../core/functions/markdown.ts';
import { root } from './sources.ts';

it('docs/functions.md lists the registry as it is: npm run durabase -- functions --write docs/functions.md', () => {
  const text = fs.readFileSync(path.join(root, 'docs', 'functions.md'), 'utf8');
  expect(withFunctions(text)).toBe(text);
});
