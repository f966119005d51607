/**
 * Task queues by need, not by app. `control` answers people (publishes, decisions); `outbound` waits for strangers' servers; `keeping`
 * has activities that do nothing, and so never waits: a decision is kept however much work stands in the others; `bulk` writes many
 * records, a few seconds at a time, so that imports take turns and never the places of what answers people.
 */
export const CONTROL_QUEUE = 'durabase-control';
export const KEEPING_QUEUE = 'durabase-keeping';
export const OUTBOUND_QUEUE = 'durabase-outbound';
export const BULK_QUEUE = 'durabase-bulk';

/**
 * Of workflows that begin with it: a task whose worker was killed inside it is given out again after this long, which is how late what
 * fell due may be (ADR 30). Longer than any replay takes.
 */
export const TASK_TIMEOUT = '5s';
