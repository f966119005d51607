/**
 * Failures of Temporal by their names. The client's classes would do as well, but naming one loads the whole client, which is
 * most of what an api process would have to load before it serves.
 */
type TemporalErrorName =
  | 'ApplicationFailure'
  | 'ScheduleAlreadyRunning'
  | 'ScheduleNotFoundError'
  | 'WorkflowFailedError'
  | 'WorkflowNotFoundError'
  | 'WorkflowExecutionAlreadyStartedError'
  | 'WorkflowUpdateFailedError'
  | 'WorkflowUpdateRPCTimeoutOrCancelledError';

export const isTemporalError = (error: unknown, name: TemporalErrorName): error is Error => error instanceof Error && error.name === name;

/** The numeric status of a gRPC failure. */
export const grpcCode = (error: unknown): number | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
