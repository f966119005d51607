/** Dates, numbers and sizes as the chosen language writes them. Times are shown short, with the whole instant as their title. */
import { useMemo } from 'react';
import { useLocale, type Locale } from './locale.ts';

export interface Format {
  /** `2026-11-27 14:05`: sortable at a glance, in the browser's zone. */
  time(iso: string): string;
  /** With weekday, seconds and zone, for a tooltip. */
  wholeTime(iso: string): string;
  date(iso: string): string;
  /** Of a day without a time, which is the same in every zone. */
  day(day: string): string;
  /** `3 min ago`, `in 2 days`. */
  ago(iso: string, now?: number): string;
  number(value: number): string;
  /** Of digits in a text, all of them: more than a number of JavaScript holds. */
  exact(digits: string): string;
  percent(share: number): string;
  bytes(count: number): string;
  /** Of milliseconds: `950 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
  duration(ms: number): string;
}

const DAY: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };

const TIME: Intl.DateTimeFormatOptions = {
  ...DAY,
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
};

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

export function formatFor(locale: Locale): Format {
  // English speakers of the whole world read this form, and it sorts.
  const time = new Intl.DateTimeFormat(locale === 'en' ? 'sv' : locale, TIME);
  const date = new Intl.DateTimeFormat(locale === 'en' ? 'sv' : locale, DAY);
  const day = new Intl.DateTimeFormat(locale === 'en' ? 'sv' : locale, { ...DAY, timeZone: 'UTC' });
  const whole = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const number = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  return {
    time: (iso) => time.format(new Date(iso)),
    wholeTime: (iso) => whole.format(new Date(iso)),
    date: (iso) => date.format(new Date(iso)),
    day: (text) => day.format(new Date(`${text.slice(0, 10)}T00:00:00Z`)),
    ago: (iso, now = Date.now()) => {
      const distance = new Date(iso).getTime() - now;
      const [unit, ms] = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? (['second', 1_000] as const);
      return relative.format(Math.trunc(distance / ms), unit);
    },
    number: (value) => number.format(value),
    exact: (digits) => exact(digits, locale),
    percent: (share) => percent.format(share),
    bytes: (count) => bytes(count, number),
    duration,
  };
}

function bytes(count: number, number: Intl.NumberFormat): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  const value = count / 1000 ** power;
  return `${number.format(Number(value.toFixed(value < 10 && power > 0 ? 1 : 0)))} ${units[power]}`;
}

/** The digits behind the point stay as many as they are: 1.50 is not 1.5. */
function exact(digits: string, locale: Locale): string {
  if (!/^-?\d+(\.\d+)?$/.test(digits)) return digits;
  const behind = Math.min(digits.split('.')[1]?.length ?? 0, 100);
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: behind, maximumFractionDigits: behind });
  // Since ES2023 digits in a text are taken as they are; the type does not say so in every library.
  return format.format(digits as Intl.StringNumericLiteral);
}

const STEPS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const first = STEPS.findIndex(([, size]) => ms >= size);
  const [unit, size] = STEPS[first] as (typeof STEPS)[number];
  const next = STEPS[first + 1];
  const whole = Math.floor(ms / size);
  const rest = next === undefined ? 0 : Math.floor((ms - whole * size) / next[1]);
  return rest === 0 || next === undefined ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next[0]}`;
}

export function useFormat(): Format {
  const locale = useLocale();
  return useMemo(() => formatFor(locale), [locale]);
}
