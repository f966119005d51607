import { Box, Tooltip } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { useLiveState } from './Live.tsx';
import type { LiveState } from './live-stream.ts';
import { SHELL } from './words.ts';

const COLOURS: Readonly<Record<LiveState['kind'], string>> = {
  off: 'transparent',
  connecting: '#9aa5b4',
  live: '#7fd6a4',
  reconnecting: '#ffc46b',
  offline: '#ff8a80',
};

/** Whether what is shown follows what happens. A dot, its word when something is not as it should be, and both for readers of the screen. */
export function LiveDot(): ReactElement | null {
  const t = useWords(SHELL);
  const state = useLiveState();
  const seconds = useSecondsUntil(state.kind === 'reconnecting' ? state.at : undefined);
  if (state.kind === 'off') return null;
  const word = state.kind === 'reconnecting' ? t('live_reconnecting', { seconds }) : t(`live_${state.kind}`);
  const isFine = state.kind === 'live' || state.kind === 'connecting';
  return (
    <Tooltip title={t(`live_hint_${state.kind}`)}>
      <Box
        role="status"
        aria-label={word}
        sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.75, mx: 1, fontSize: 12, whiteSpace: 'nowrap' }}
      >
        <Box component="span" sx={{ width: 9, height: 9, borderRadius: '50%', bgcolor: COLOURS[state.kind], flex: 'none' }} />
        <Box component="span" aria-hidden sx={{ display: { xs: 'none', md: isFine ? 'none' : 'inline' } }}>
          {word}
        </Box>
      </Box>
    </Tooltip>
  );
}

function useSecondsUntil(at: number | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === undefined) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [at]);
  return at === undefined ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}
