/** What a saved list holds, judged as a request with it would be: for whoever saves it, and for whoever reads it later. */
import { listElsewhere, type ListContent, type ListPart } from '../../core/change/older-shape/saved-list.ts';
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import { parseQueryBody } from '../../core/filter/parse.ts';
import type { ReadScope } from '../../core/filter/scope.ts';
import { planList } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { bindingsOf } from '../records/read-scope.ts';
import { versionNames } from '../version-names.ts';

/** A part that does not work any more, or not for the caller. */
export interface Stale {
  readonly part: ListPart | 'entity';
  /** As it is written in the list; left out where the caller may not know it. */
  readonly path?: string;
  readonly message: string;
}

interface Mistake extends Stale {
  readonly part: ListPart;
  readonly rule: string;
  readonly allowed?: unknown;
}

/** What is wrong with a list for this caller; nothing where it works. */
export function mistakesIn(ctx: AppContext, scope: ReadScope, entity: EntityModel, content: ListContent): Mistake[] {
  const of = (part: ListPart, path: string | undefined, body: object): Mistake[] => {
    try {
      planList(scope, entity, parseQueryBody(body), bindingsOf(ctx), ctx.app.model.settings);
      return [];
    } catch (error) {
      if (!isAppError(error) || error.status >= 500) throw error;
      const [detail] = error.details;
      const allowed = detail?.['allowed'];
      const named = path ?? detail?.field;
      return [
        {
          part,
          ...(named === undefined ? {} : { path: named }),
          rule: detail?.rule ?? 'value',
          message: error.message,
          ...(allowed === undefined ? {} : { allowed }),
        },
      ];
    }
  };
  const { filter, q, sort, columns } = content;
  const single = [
    ...(filter === null ? [] : of('filter', undefined, { filter })),
    ...(q === null ? [] : of('q', undefined, { q })),
    ...sort.flatMap((item) => of('sort', item, { sort: [item] })),
    ...(columns ?? []).flatMap((path) => of('columns', path, { fields: [path] })),
  ];
  // Each may be right and all of them too many.
  return single.length > 0 || columns === null ? single : of('columns', undefined, { fields: columns });
}

const LONGEST = 32_000;

/** Refuses what does not work now, with every mistake at once; `gone` is what does not count any more whatever there is by its name. */
export function refuseMistakes(
  ctx: AppContext,
  scope: ReadScope,
  entity: EntityModel,
  content: ListContent,
  gone: readonly GonePart[] = [],
): void {
  if (JSON.stringify(content).length > LONGEST)
    throw new AppError('TOO_LARGE', `A saved list may have at most ${LONGEST} characters of JSON.`, { hint: 'Shorten its filter.' });
  const found: readonly Mistake[] = [
    ...gone.map((one) => ({ ...one, rule: 'gone' })),
    ...mistakesIn(ctx, scope, entity, withoutGone(content, gone)),
  ];
  const details = found.map(({ part, ...detail }): ErrorDetail => ({ field: part, ...detail }));
  if (details.length > 0)
    throw new AppError('VALIDATION_FAILED', 'The saved list is not valid.', {
      details: details.slice(0, 50),
      hint: 'A saved list takes what POST /:entity/_query takes, and is checked like it.',
    });
}

interface Saved {
  readonly entity: string;
  readonly schema_version: number;
  readonly content: ListContent;
}

export interface GonePart extends Stale {
  readonly part: ListPart;
  readonly path: string;
}

export interface ListToday {
  readonly content: ListContent;
  readonly gone: readonly GonePart[];
}

/** The content under the names of the version that is served now. */
export async function contentToday({ app, services }: AppContext, saved: Saved): Promise<ListToday> {
  const names = await versionNames(services.pool, app, saved.schema_version, app.version);
  if (names === undefined) return { content: saved.content, gone: [] };
  const { content, gone } = listElsewhere(names, saved.entity, saved.content);
  return { content, gone: gone.map(({ part, path }) => ({ part, path, message: `"${path}" is not there any more.` })) };
}

function withoutGone(content: ListContent, gone: readonly GonePart[]): ListContent {
  const has = (part: ListPart, path: string): boolean => gone.some((one) => one.part === part && one.path === path);
  return {
    ...content,
    filter: gone.some(({ part }) => part === 'filter') ? null : content.filter,
    sort: content.sort.filter((item) => !has('sort', pathOf(item))),
    columns: content.columns?.filter((path) => !has('columns', path)) ?? null,
  };
}

const pathOf = (sortItem: string): string => sortItem.replace(/^[+-]/, '').replace(/:.*$/, '');

const HIDDEN = 'Something that this part names is gone, or is not yours to read.';

/**
 * How the list looks to the caller. Whoever may change it sees it whole, with what is stale; others see what works for them, and of
 * the rest only that something is missing: what they may not read is not named.
 */
export function seenBy(
  ctx: AppContext,
  scope: ReadScope,
  entity: EntityModel,
  { content, gone }: ListToday,
  isWhole: boolean,
): { readonly content: ListContent; readonly stale: readonly Stale[] } {
  const asked = withoutGone(content, gone);
  const mistakes = mistakesIn(ctx, scope, entity, asked);
  const stale: readonly (GonePart | Mistake)[] = [...gone, ...mistakes];
  if (isWhole)
    return { content, stale: stale.map(({ part, path, message }) => ({ part, ...(path === undefined ? {} : { path }), message })) };
  const isWrong = (part: ListPart, path?: string): boolean =>
    mistakes.some((one) => one.part === part && (path === undefined || one.path === path || one.path === undefined));
  const columns = asked.columns?.filter((path) => !isWrong('columns', path)) ?? null;
  return {
    content: {
      ...asked,
      filter: isWrong('filter') ? null : asked.filter,
      q: isWrong('q') ? null : asked.q,
      sort: asked.sort.filter((item) => !isWrong('sort', item)),
      columns: columns?.length === 0 ? null : columns,
    },
    stale: [...new Set(stale.map(({ part }) => part))].map((part) => ({ part, message: HIDDEN })),
  };
}
