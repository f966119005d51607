/**
 * Task queues by need, not by app. `control` answers people (publishes, decisions); `outbound` waits for strangers' servers; `keeping`
 * has activities that do nothing, and so never waits: a decision is kept however much work stands in the others; `bulk` writes many
 * records, a few seconds at a time, so that imports take turns and never the places of what answers people.
 */
export const CONTROL_QUEUE = 'durabase-control';
export const KEEPING_QUEUE = 'durabase-keeping';
export const OUTBOUND_QUEUE = 'durabase-outbound';
export const BULK_QUEUE = 'durabase-bulk';
