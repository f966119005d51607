import { Box } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { encode } from 'uqr';

/** Light modules around it, without which no reader finds it. */
const QUIET = 4;

/** Dark on white in either appearance, as readers want it. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }): ReactElement {
  const { data, size: modules } = useMemo(() => encode(text, { ecc: 'M', border: 0 }), [text]);
  const size = modules + 2 * QUIET;
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET},${y + QUIET}h1v1h-1z`] : []))).join('');
  return (
    <Box
      component="svg"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      sx={{ width: 220, maxWidth: '100%', alignSelf: 'center' }}
    >
      <path fill="#fff" d={`M0,0h${size}v${size}h-${size}z`} />
      <path fill="#000" d={path} />
    </Box>
  );
}
