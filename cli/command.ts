/** One verb of the command line. */
export interface Command {
  /** Text of `durabase <verb> --help`. */
  readonly help: string;
  /** Answers the exit code. */
  run(args: readonly string[]): Promise<number>;
}
