import { describe, expect, it } from 'vitest';
import { Windows } from '../../workers/windows.ts';

const hooks = (...names: string[]): Map<string, number> => new Map(names.map((name) => [name, 8]));

describe('windows', () => {
  it('begin with two, widen by one with each success up to the concurrency, and narrow to one after a failure', () => {
    const windows = new Windows();
    const free = (): number => windows.rooms('a', hooks('w')).known['w'] ?? 0;
    const attempt = (isDelivered: boolean): number => {
      windows.begin('a', 'w');
      windows.end('a', 'w', isDelivered);
      return free();
    };
    expect(free()).toBe(2);
    expect(windows.rooms('a', new Map([['w', 1]])).known).toEqual({ w: 1 });
    expect([true, true, true, true, true, true, true].map(attempt)).toEqual([3, 4, 5, 6, 7, 8, 8]);
    expect(attempt(false)).toBe(1);
    expect(attempt(true)).toBe(2);
  });

  it('leave room for endpoints that answer, however many hang', () => {
    const windows = new Windows();
    windows.begin('a', 'good');
    windows.end('a', 'good', true);
    const unknown = (app: string): number => windows.rooms(app, hooks('new')).known['new'] ?? -1;
    for (let i = 0; unknown('a') > 0; i++) windows.begin('a', `hanging-${String(i)}`);
    expect(windows.rooms('a', hooks('good'))).toEqual({ known: { good: 3 }, proven: ['good'], total: 64 });
    expect(unknown('another')).toBe(0);
    windows.end('a', 'hanging-0', false);
    expect(unknown('another')).toBe(1);
  });
});
