import { unknownParameter } from '../core/filter/parse-lists.ts';

/** UNKNOWN_PARAMETER for what a route does not take. */
export function checkParameters(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) if (!known.includes(name)) throw unknownParameter(name, known);
}

/** Page and size of a list; what is missing or no number falls back to the default, what is too large to the maximum. */
export function clampPage(params: URLSearchParams, maxPerPage: number): { readonly page: number; readonly perPage: number } {
  return {
    page: natural(params.get('page'), 1, 1_000_000),
    perPage: natural(params.get('per_page'), Math.min(25, maxPerPage), maxPerPage),
  };
}

function natural(text: string | null, fallback: number, most: number): number {
  const parsed = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return parsed < 1 ? fallback : Math.min(parsed, most);
}
