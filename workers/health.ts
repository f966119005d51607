/** What a worker process is doing: shown by `durabase doctor` and the admin's health page. */
export interface WorkerHealth {
  readonly startedAt: string;
  /** `waiting`: Temporal does not answer; the relay and first deliveries go on without it. */
  readonly temporal: 'waiting' | 'running' | 'stopped';
  /** Why it is waiting. */
  readonly reason: string | null;
}

export class HealthRecord {
  #health: WorkerHealth = { startedAt: new Date().toISOString(), temporal: 'waiting', reason: null };

  get current(): WorkerHealth {
    return this.#health;
  }

  set(temporal: WorkerHealth['temporal'], reason: string | null = null): void {
    this.#health = { ...this.#health, temporal, reason };
  }
}
