/** Which functions an expression may call. Their meaning is in `functions.ts`; here only names, so that both parsers know them. */

/** Other spellings, as they are written without a dollar sign. */
export const FUNCTION_ALIASES: ReadonlyMap<string, string> = new Map([
  ['size', 'len'],
  ['lower', 'lowercase'],
  ['upper', 'uppercase'],
  ['avg', 'average'],
  ['mean', 'average'],
  ['hasPrefix', 'startsWith'],
  ['hasSuffix', 'endsWith'],
  ['matches', 'match'],
  ['Date', 'date'],
  ['Number', 'number'],
  ['String', 'string'],
  ['Boolean', 'boolean'],
]);

/** Evaluated by us, with the smallest and greatest number of arguments. */
export const FUNCTION_ARITY = {
  sum: [1, 20],
  count: [1, 1],
  min: [1, 20],
  max: [1, 20],
  average: [1, 20],
  len: [1, 1],
  length: [1, 1],
  lowercase: [1, 1],
  uppercase: [1, 1],
  trim: [1, 1],
  contains: [2, 2],
  startsWith: [2, 2],
  endsWith: [2, 2],
  substring: [2, 3],
  substringBefore: [2, 2],
  substringAfter: [2, 2],
  replace: [3, 3],
  split: [2, 2],
  join: [1, 2],
  match: [2, 2],
  test: [2, 2],
  exists: [1, 1],
  not: [1, 1],
  boolean: [1, 1],
  number: [1, 1],
  string: [1, 1],
  round: [1, 2],
  abs: [1, 1],
  floor: [1, 1],
  ceil: [1, 1],
  sqrt: [1, 1],
  power: [2, 2],
  date: [1, 1],
  now: [0, 0],
  toMillis: [1, 1],
  fromMillis: [1, 1],
  days: [2, 2],
  hours: [2, 2],
  minutes: [2, 2],
  addDays: [2, 2],
  addHours: [2, 2],
  addMinutes: [2, 2],
  year: [1, 1],
  month: [1, 1],
  day: [1, 1],
  distinct: [1, 1],
  append: [2, 2],
  reverse: [1, 1],
  keys: [1, 1],
  lookup: [2, 2],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type FunctionName = keyof typeof FUNCTION_ARITY;

export const isOwnFunction = (name: string): name is FunctionName => Object.hasOwn(FUNCTION_ARITY, name);

/** JSONata's own that only the sandbox runs: they take functions, or build objects. */
export const SANDBOX_FUNCTIONS: ReadonlySet<string> = new Set([
  'map',
  'filter',
  'reduce',
  'single',
  'sift',
  'each',
  'sort',
  'zip',
  'spread',
  'merge',
  'pad',
  'formatNumber',
  'formatBase',
  'formatInteger',
  'parseInteger',
  'type',
  'clone',
  'base64encode',
  'base64decode',
  'encodeUrl',
  'encodeUrlComponent',
  'decodeUrl',
  'decodeUrlComponent',
]);

export const isKnownFunction = (name: string): boolean => isOwnFunction(name) || SANDBOX_FUNCTIONS.has(name);

export const knownFunctionNames = (): string[] => [...Object.keys(FUNCTION_ARITY), ...SANDBOX_FUNCTIONS];
