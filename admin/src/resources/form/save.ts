/** Writing what a form holds: done, or what is wrong with it, as react-admin's forms take it. */
import { useState } from 'react';
import { useCreate, useNotify, useRedirect, useUpdate, type RaRecord } from 'react-admin';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { refusedBody } from '../../providers/record-error.ts';
import { editableFields } from '../shape.ts';
import { placed } from './mistakes.ts';
import { writtenRows, type NestedRelation, type Row } from './rows.ts';
import { FORM } from './words.ts';

type FormErrors = Readonly<Record<string, unknown>> | undefined;
type Submit = (values: Row) => Promise<FormErrors>;

function refusal(error: unknown, entity: DiscoveredEntity, nested: readonly NestedRelation[], values: Row): FormErrors {
  const body = refusedBody(error);
  const details = body?.error?.details ?? [];
  const root = body?.errors['root'] as { readonly serverError?: string } | undefined;
  const whole = root?.serverError ?? (error instanceof Error ? error.message : String(error));
  // The message of the whole repeats the mistakes; it is told where it is all there is.
  const isTold = details.length > 0 && details.every((detail) => (detail.path ?? detail.field) !== undefined);
  return placed(body?.errors, isTold ? '' : whole, (source) => hasInput(source, entity, nested, values));
}

function hasInput(source: string, entity: DiscoveredEntity, nested: readonly NestedRelation[], values: Row): boolean {
  const [first = '', index, name] = source.split('.');
  if (index === undefined) return editableFields(entity).some((field) => field.name === first);
  const of = nested.find(({ relation }) => relation.name === first);
  const rows = values[first];
  return of !== undefined && Array.isArray(rows) && Number(index) < rows.length && of.fields.some((field) => field.name === name);
}

const withRows = (values: Row, nested: readonly NestedRelation[], stored: Row): Row => {
  const rows = nested.map((of) => {
    const { name } = of.relation;
    return [name, writtenRows(of, (values[name] ?? []) as readonly Row[], (stored[name] ?? []) as readonly Row[])] as const;
  });
  const names = new Set(rows.map(([name]) => name));
  return {
    ...Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name))),
    ...Object.fromEntries(rows.filter(([, written]) => written !== undefined)),
  };
};

export function useCreateRecord(
  entity: DiscoveredEntity,
  onCreated: (record: RaRecord) => void,
  nested: readonly NestedRelation[] = [],
): Submit {
  const [create] = useCreate();
  const notify = useNotify();
  return async (values) => {
    try {
      const record = (await create(entity.name, { data: withRows(values, nested, {}) }, { returnPromise: true })) as RaRecord;
      notify('ra.notification.created', { type: 'info', messageArgs: { smart_count: 1 } });
      onCreated(record);
      return undefined;
    } catch (error) {
      return refusal(error, entity, nested, values);
    }
  };
}

/** Somebody else was faster: what is stored now, and what is typed here. */
export interface Faster {
  readonly base: RaRecord;
  readonly theirs: RaRecord;
  readonly mine: Row;
}

interface Update {
  readonly submit: Submit;
  readonly faster: Faster | undefined;
  /** Goes on with the form; `isSeen` when the next save may go over what the other has stored. */
  readonly settle: (isSeen: boolean) => void;
}

export function useUpdateRecord(entity: DiscoveredEntity, stored: RaRecord, nested: readonly NestedRelation[]): Update {
  const [update] = useUpdate();
  const notify = useNotify();
  const redirect = useRedirect();
  const t = useWords(FORM);
  const [faster, setFaster] = useState<Faster>();
  // What the next save is compared with: the record as it was opened, or as somebody else's change has been looked at.
  const [base] = useState({ current: stored });
  const submit: Submit = async (values) => {
    const { id, _etag } = base.current;
    try {
      const data = { ...withRows(values, nested, base.current), _etag: _etag as unknown };
      await update(entity.name, { id, data, previousData: base.current }, { returnPromise: true, mutationMode: 'pessimistic' });
    } catch (error) {
      const theirs = refusedBody(error)?.current as RaRecord | undefined;
      if (theirs !== undefined) {
        setFaster({ base: base.current, theirs, mine: values });
        return { root: { serverError: t('conflict_title') } };
      }
      return refusal(error, entity, nested, values);
    }
    notify('ra.notification.updated', { type: 'info', messageArgs: { smart_count: 1 } });
    redirect('show', entity.name, id);
    return undefined;
  };
  const settle = (isSeen: boolean): void => {
    // Rows have versions of their own; those of the form were read with it.
    if (isSeen && faster !== undefined) base.current = { ...base.current, ...faster.theirs };
    setFaster(undefined);
  };
  return { submit, faster, settle };
}
