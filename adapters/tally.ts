/** Counts by label, for metrics that are read when somebody asks. The labels must stay few. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(label: string): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
  }

  read(): readonly (readonly [label: string, count: number])[] {
    return [...this.#counts];
  }
}
