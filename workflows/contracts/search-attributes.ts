import { defineSearchAttributeKey } from '@temporalio/common';

/** Registered on the namespace from this list and nowhere else. Stored in clear: no names, addresses or values. */
export const appIdAttribute = defineSearchAttributeKey('AppId', 'KEYWORD');
export const stateAttribute = defineSearchAttributeKey('State', 'KEYWORD');
export const entityAttribute = defineSearchAttributeKey('Entity', 'KEYWORD');
export const recordIdAttribute = defineSearchAttributeKey('RecordId', 'KEYWORD');
export const dueAtAttribute = defineSearchAttributeKey('DueAt', 'DATETIME');

export const SEARCH_ATTRIBUTES = [appIdAttribute, stateAttribute, entityAttribute, recordIdAttribute, dueAtAttribute] as const;
