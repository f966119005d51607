import { expect, it } from 'vitest';
import { valueOfCell, type CellFormat } from '../../../core/import/convert.ts';
import { fieldSchema, type FieldDefinition } from '../../../core/model/document.ts';
import type { StoredType } from '../../../core/model/model.ts';

const read = (type: StoredType, cell: string, format: Partial<CellFormat> = {}, more: Partial<FieldDefinition> = {}): unknown =>
  valueOfCell({ type, definition: fieldSchema.parse({ name: 'x', type, ...more }) }, cell, {
    trim: true,
    dates: 'iso',
    time_zone: 'UTC',
    ...format,
  });

it.each<[StoredType, string, Partial<CellFormat>, unknown]>([
  ['int', ' 12 ', {}, 12],
  ['int', '1.234', { decimal: ',' }, 1234],
  ['int', '1,234', {}, '1,234'],
  ['decimal', '1.234.567,5', { decimal: ',' }, '1234567.5'],
  ['decimal', "1'234.50", { decimal: '.' }, '1234.50'],
  ['decimal', '-0,5', { decimal: ',' }, '-0.5'],
  ['decimal', '12,34,56', { decimal: '.' }, '12,34,56'],
  ['float', '2,5', { decimal: ',' }, 2.5],
  ['boolean', 'Ja', {}, true],
  ['boolean', 'no', {}, false],
  ['boolean', 'perhaps', {}, 'perhaps'],
  ['date', '31.12.2026', { dates: 'dmy' }, '2026-12-31'],
  ['date', '2/1/2026', { dates: 'mdy' }, '2026-02-01'],
  ['date', '2026/1/2', { dates: 'ymd' }, '2026-01-02'],
  ['date', '31.2.2026', { dates: 'dmy' }, '31.2.2026'],
  ['date', '1.2.26', { dates: 'dmy' }, '1.2.26'],
  ['date', '2026-01-02', { dates: 'dmy' }, '2026-01-02'],
  ['timestamp', '31.12.2026 9:05', { dates: 'dmy' }, '2026-12-31T09:05:00Z'],
  ['timestamp', '2026-07-01T12:00', { time_zone: 'Europe/Berlin' }, '2026-07-01T10:00:00Z'],
  ['timestamp', '2026-01-01 00:30:15.25', { time_zone: 'America/New_York' }, '2026-01-01T05:30:15.25Z'],
  ['timestamp', '2026-07-01T12:00+05:00', { time_zone: 'Europe/Berlin' }, '2026-07-01T12:00:00+05:00'],
  // The clocks skip from two to three, and go over two twice in autumn.
  ['timestamp', '2026-03-29 02:30', { time_zone: 'Europe/Berlin' }, '2026-03-29T01:30:00Z'],
  ['timestamp', '2026-10-25 02:30', { time_zone: 'Europe/Berlin' }, '2026-10-25T00:30:00Z'],
  ['string', ' x ', {}, 'x'],
  ['string', ' x ', { trim: false }, ' x '],
  ['string', "'=1+1", {}, '=1+1'],
  ['string', "'tis", {}, "'tis"],
  ['json', '{"a":1}', {}, { a: 1 }],
])('%s of %j with %j', (type, cell, format, value) => expect(read(type, cell, format)).toEqual(value));

it('finds the values of a list whatever their case, where that is one', () => {
  expect(read('enum', 'GOLD', {}, { enum: ['Gold', 'basic'] })).toBe('Gold');
  expect(read('enum', 'GOLD', {}, { enum: ['Gold', 'gold'] })).toBe('GOLD');
});
