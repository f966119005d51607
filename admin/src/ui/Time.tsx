import { Tooltip } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../i18n/format.ts';

interface TimeProps {
  readonly at: string | null | undefined;
  /** `ago` says how far it is from now, for what is read as news. */
  readonly as?: 'time' | 'ago' | 'date';
}

/** A moment, short, with the whole instant as its tooltip. */
export function Time({ at, as = 'time' }: TimeProps): ReactElement {
  const format = useFormat();
  if (at === null || at === undefined) return <span>–</span>;
  return (
    <Tooltip title={format.wholeTime(at)}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap', fontVariantNumeric: 'tabular-nums' }}>
        {format[as](at)}
      </time>
    </Tooltip>
  );
}
