export interface KeepActivities {
  /** Does nothing; see `workflows/kept-in-history.ts`. */
  keepInHistory(): Promise<void>;
}

export const createKeepActivities = (): KeepActivities => ({ keepInHistory: () => Promise.resolve() });
