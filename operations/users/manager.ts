/** Whose manager an account has: a user of the same app, for approvals of type `manager`. Platform users have none. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { hasUnstorable } from '../../core/model/fields/field-kind.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { empty, id as identifier, sql, value, type Sql } from '../../core/sql/sql.ts';
import { appOf } from '../platform/audit.ts';

export const hasManagers = (realm: Realm): boolean => appOf(realm) !== null;

/** Of the account's JSON. */
export const managerJson = (realm: Realm, alias: string): Sql =>
  hasManagers(realm) ? sql`'manager', ${identifier(alias, 'manager')},` : empty;

/** The id of the user named by id or email address; null for none. */
export async function findManager(db: Db, realm: Realm, named: string | null, own: string): Promise<string | null> {
  if (named === null) return null;
  const [row] = hasUnstorable(named)
    ? []
    : await run<{ id: string }>(
        db,
        sql`select id from ${realm.users} where id = ${value(isUuid(named) ? named : null, 'uuid')} or lower(email) = lower(${value(named, 'text')})`,
      );
  if (row === undefined) throw invalid(`There is no user "${named.slice(0, 100)}".`, 'unknown_user', 'must be the id or email of a user');
  if (row.id === own) throw invalid('Nobody is their own manager.', 'other', 'must be somebody else');
  return row.id;
}

const invalid = (message: string, rule: string, detail: string): AppError =>
  new AppError('VALIDATION_FAILED', message, { details: [{ field: 'manager', rule, message: detail }] });
