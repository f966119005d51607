const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of `30m 4h 2d 1w` or ISO 8601 (`PT30M`, `P2DT4H`, `P1W`). Throws TypeError on anything else. */
export function durationMs(text: string): number {
  const short = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  if (short !== null) return Math.round(Number(short[1]) * (UNIT_MS[short[2] ?? ''] ?? 0));
  const iso = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)$/.exec(text);
  if (iso === null || text.endsWith('P') || text.endsWith('T')) {
    throw new TypeError(`"${text}" is not a duration: write 30m, 4h, 2d, 1w or ISO 8601.`);
  }
  const [w = 0, d = 0, h = 0, m = 0, s = 0] = iso.slice(1).map((part) => Number(part ?? 0));
  return w * 604_800_000 + d * 86_400_000 + h * 3_600_000 + m * 60_000 + s * 1_000;
}
