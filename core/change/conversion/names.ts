/** What a conversion makes beside its columns. Everything carries the version, so a leftover tells whose it is. */
import type { Conversion } from '../change.ts';
import { hashOf } from '../names.ts';

export interface ConversionNames {
  /** Hidden column: the row's values stand in both shapes. One for each conversion: two of a table are filled apart. */
  readonly marker: string;
  /** Of a function, and of the trigger that runs it. */
  object(verb: string): string;
}

const MAX_BYTES = 63;

export function conversionNames(table: string, version: number, conversion: Conversion): ConversionNames {
  const hash = hashOf([table, ...conversion.from, '', ...conversion.to].join('\u0000'));
  const marker = `_m${version}_${hash}`;
  return {
    marker,
    object: (verb) => {
      const tail = `${marker}_${verb}`;
      return table.slice(0, MAX_BYTES - tail.length) + tail;
    },
  };
}
