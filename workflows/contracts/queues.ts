/** Task queues by need, not by app. `control` answers people (publishes, decisions); `outbound` waits for strangers' servers. */
export const CONTROL_QUEUE = 'durabase-control';
export const OUTBOUND_QUEUE = 'durabase-outbound';
