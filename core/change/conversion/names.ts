/** What a conversion makes beside its columns. Its marker is a hidden column: the row's values stand in both shapes. */
import type { Conversion } from '../change.ts';
import { madeNames, type MadeNames } from '../names.ts';

/** One marker for each conversion: two of a table are filled apart. */
export const conversionNames = (table: string, version: number, conversion: Conversion): MadeNames =>
  madeNames(table, version, [table, ...conversion.from, '', ...conversion.to]);
