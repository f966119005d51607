import { describe, expect, it } from 'vitest';
import type { Change } from '../../core/change/change.ts';
import { changeLines } from '../../cli/text/changes.ts';
import { paperOf, plainPaper, wrap } from '../../cli/text/paper.ts';
import { planLines } from '../../cli/text/plan.ts';
import type { StepView } from '../../operations/schemas/plan-view.ts';
import { sqlLines } from '../../cli/text/sql.ts';

const stream = (isTTY: boolean, colours: boolean, columns: number | undefined) =>
  ({ isTTY, columns, hasColors: () => colours }) as unknown as NodeJS.WriteStream;

describe('paper', () => {
  it('has colour on a terminal that takes it only, and bounds its width', () => {
    expect(paperOf(stream(true, true, 100)).paint('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(paperOf(stream(true, false, 100)).paint('red', 'x')).toBe('x');
    expect(paperOf(stream(false, true, undefined)).paint('red', 'x')).toBe('x');
    expect([500, 20, 0, undefined].map((columns) => paperOf(stream(true, true, columns)).width)).toEqual([110, 40, 80, 80]);
  });

  it('wraps between words and leaves a long one whole', () => {
    expect(wrap('one two  three', 7)).toEqual(['one two', 'three']);
    expect(wrap('a verylongword b', 5)).toEqual(['a', 'verylongword', 'b']);
  });
});

describe('SQL for a person', () => {
  const create = `create table "a"."t" ("id" uuid not null, "n" numeric(10, 2) default '1, (2' not null, constraint "t_pkey" primary key ("id"))`;

  it('breaks a long statement at the members of its list, never inside a nested one or a quote', () => {
    expect(sqlLines(create, 60)).toEqual([
      'create table "a"."t" (',
      '  "id" uuid not null,',
      `  "n" numeric(10, 2) default '1, (2' not null,`,
      '  constraint "t_pkey" primary key ("id")',
      ');',
    ]);
  });

  it('keeps every word in its order, whatever the width', () => {
    const text = `${create};\ncreate index concurrently "t_n_idx" on "a"."t" ("n") where "n" is not null and "n" > 0`;
    const bare = (of: string): string => of.replaceAll(/[\s;]/g, '');
    for (let width = 20; width < 120; width += 7) expect(bare(sqlLines(text, width).join('\n'))).toBe(bare(text));
  });
});

describe('changes and plans for a person', () => {
  const breaking: Change = {
    kind: 'drop_field',
    class: 'breaking',
    entity: 'tickets',
    field: 'note',
    message: 'Its values would go.',
    hint: 'Keep it.',
  };

  it('marks a breaking change and says why below it', () => {
    expect(changeLines([breaking, { kind: 'add_entity', class: 'compatible', entity: 'bills' }], plainPaper())).toEqual([
      '  ! - drop field  tickets.note',
      '      Its values would go.',
      '      Keep it.',
      '    + add entity  bills',
    ]);
  });

  it('moves values that are too long for the line below it', () => {
    const change: Change = { kind: 'set_default', class: 'compatible', entity: 'tickets', field: 'priority', from: 'low', to: 'very high' };
    expect(changeLines([change], plainPaper(50))).toEqual(['    ~ set default  tickets.priority', '      low -> very high']);
  });

  it('groups steps by phase with lock, cost and SQL, then shows what the reviewers say', () => {
    const step: StepView = {
      key: 'add-column/tickets.x',
      phase: 'expand',
      mode: 'brief',
      table: 'tickets',
      sql: 'select 1',
      lock: 'ACCESS EXCLUSIVE, brief',
      lock_timeout_ms: 200,
      rewrite: false,
      concurrent: false,
      estimate: { rows: 0, rows_exact: true, bytes: 0, ms: 50 },
    };
    const large = { rows: 2_000_000, rows_exact: false, bytes: 400_000_000, ms: 14_000 };
    const lines = planLines(
      'shop',
      {
        from_version: 3,
        class: 'breaking',
        changes: [breaking],
        steps: [
          { ...step, estimate: { ...step.estimate, rows: 1 } },
          { ...step, phase: 'contract', rewrite: true },
          { ...step, concurrent: true, lock: 'SHARE UPDATE EXCLUSIVE', estimate: large },
        ],
        findings: [
          { id: 'f', level: 'warning', path: 'webhooks.0', message: 'No address.', consequence: 'Nothing is sent.', fix: 'Give one.' },
        ],
        review: [{ rule: 'no-rewrite', severity: 'error', step: step.key, message: 'All is written again.', hint: 'Add a column.' }],
        estimate: { ms: 14_100, basis: 'An estimate.' },
        questions: [{ kind: 'drop_field', rule: 'confirm_drop', message: 'It would go.', hint: 'Say so.' }],
        held: [{ id: 'f1', table: 'tickets', column: 'note', values: 1_200 }],
        conversions: [
          {
            entity: 'ticket',
            fields: ['hours'],
            kind: 'convert',
            checked: 5_000,
            failing: 1_001,
            is_whole: false,
            sample: [{ record_id: '7', field: 'hours', value: 'many', error: 'no number' }],
          },
          { entity: 'ticket', fields: ['x'], kind: 'fill', checked: 9, failing: 0, is_whole: true, sample: [] },
        ],
        approval: { needed: false, four_eyes: false },
        grace_ms: 1,
        retention_ms: 1,
        plan_hash: 'h',
      },
      plainPaper(),
    );
    expect(lines).toEqual([
      'shop, version 3: 1 change, breaking',
      '',
      'Changes',
      '  ! - drop field  tickets.note',
      '      Its values would go.',
      '      Keep it.',
      '',
      'Steps',
      '  expand: before the switch; clients read and write as always',
      '    1. ACCESS EXCLUSIVE, brief',
      '       1 row, an estimated 50 ms',
      '       select 1;',
      '    3. SHARE UPDATE EXCLUSIVE, outside a transaction',
      '       about 2,000,000 rows, an estimated 14 s',
      '       select 1;',
      '  contract: when the older shape is served no more',
      '    2. ACCESS EXCLUSIVE, brief, rewrites the table',
      '       select 1;',
      '',
      'Values that would be quarantined',
      '  ticket.hours  1,001 records of the first 5,000',
      '      7: many (no number)',
      '',
      'Left in the tables until the retention ends',
      '  tickets.note  1,200 values',
      '',
      'Findings',
      '  warning  webhooks.0',
      '      No address.',
      '      Nothing is sent.',
      '      Give one.',
      '',
      'Questions',
      '  It would go.',
      '  Say so.',
      '',
      'Review of the plan',
      '  error    no-rewrite',
      '      add-column/tickets.x',
      '      All is written again.',
      '      Add a column.',
    ]);
  });
});
