/** Fields behind relations to one as columns of one FROM, for statements over many rows: a lookup per row would cost more. */
import type { Sql } from '../sql/sql.ts';
import { scalarSql, toOneJoin } from './compile.ts';
import { columnSql, type Column, type Hop, type ReadScope } from './scope.ts';
import { ROWS_ALIAS } from './statements.ts';

/** The joins that the fields of one statement share. */
export class JoinedPaths {
  readonly #scope: ReadScope;
  readonly #aliases = new Map<string, string>();
  readonly joins: Sql[] = [];

  constructor(scope: ReadScope) {
    this.#scope = scope;
  }

  columnSql(hops: readonly Hop[], column: Column): Sql {
    let alias = ROWS_ALIAS;
    for (const [index, hop] of hops.entries()) {
      // Only a key is sure to be found once; what leads elsewhere is looked up per row.
      if (!leadsToKey(hop)) return scalarSql(this.#scope, hops.slice(index), column, alias);
      alias = this.#joined(alias, hop);
    }
    return columnSql(alias, column);
  }

  #joined(alias: string, hop: Hop): string {
    const step = `${alias} ${hop.end.name}`;
    let joined = this.#aliases.get(step);
    if (joined === undefined) {
      joined = `j${this.#aliases.size}`;
      this.#aliases.set(step, joined);
      this.joins.push(toOneJoin(this.#scope, hop, alias, joined));
    }
    return joined;
  }
}

const leadsToKey = ({ end, target }: Hop): boolean =>
  end.direction === 'forward' && end.join === undefined && target.key.length === 1 && target.key[0]?.name === end.targetField;
