/** DATA_DIR/run.json: ports and process ids of this run, for the next one (after a kill) and for people. */
import fs from 'node:fs';
import path from 'node:path';
import { birthMark, isAlive } from './system.ts';

interface RunState {
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly birth: string }>>;
  readonly ports: Readonly<Record<string, number>>;
}

export class RunFile {
  private readonly file: string;
  private state: RunState;

  constructor(dataDir: string) {
    this.file = path.join(dataDir, 'run.json');
    this.state = readState(this.file);
  }

  note(name: string, pid: number): void {
    this.write({
      ...this.state,
      processes: {
        ...this.state.processes,
        [name]: { pid, birth: birthMark(pid) },
        supervisor: { pid: process.pid, birth: birthMark(process.pid) },
      },
    });
  }

  notePort(name: string, port: number): void {
    this.write({ ...this.state, ports: { ...this.state.ports, [name]: port } });
  }

  port(name: string): number | undefined {
    return this.state.ports[name];
  }

  /** The process id noted under a name, when that very process still runs. */
  alive(name: string): number | undefined {
    const noted = this.state.processes[name];
    return noted !== undefined && isAlive(noted.pid) && birthMark(noted.pid) === noted.birth ? noted.pid : undefined;
  }

  /** Ports are kept: bookmarks and open consoles should work after the next start. */
  clear(): void {
    this.write({ ...this.state, processes: {} });
  }

  private write(state: RunState): void {
    this.state = state;
    try {
      fs.writeFileSync(`${this.file}.new`, JSON.stringify(state, null, 2));
      fs.renameSync(`${this.file}.new`, this.file);
    } catch {
      // A full disk must not end the supervisor; the next start then recovers by Postgres' own pid file.
    }
  }
}

function readState(file: string): RunState {
  try {
    const read = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<RunState>;
    return { processes: read.processes ?? {}, ports: read.ports ?? {} };
  } catch {
    return { processes: {}, ports: {} };
  }
}
