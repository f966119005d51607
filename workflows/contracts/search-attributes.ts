import type { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What Temporal's function of that name makes, without loading its library in every process. */
const key = <T extends SearchAttributeType>(name: string, type: T): ReturnType<typeof defineSearchAttributeKey<T>> => ({ name, type });

/** Registered on the namespace from this list and nowhere else. Stored in clear: no names, addresses or values. */
export const appIdAttribute = key('AppId', 'KEYWORD');
export const stateAttribute = key('State', 'KEYWORD');
export const entityAttribute = key('Entity', 'KEYWORD');
export const recordIdAttribute = key('RecordId', 'KEYWORD');
export const dueAtAttribute = key('DueAt', 'DATETIME');

export const SEARCH_ATTRIBUTES = [appIdAttribute, stateAttribute, entityAttribute, recordIdAttribute, dueAtAttribute] as const;

/** Longer ones are refused by the stores of search attributes, and with them the whole workflow task. */
export const MAX_KEYWORD = 200;
