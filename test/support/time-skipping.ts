/**
 * Temporal's time-skipping test server: a Java program that lets a workflow's days pass at once, where the activities stay real.
 * It knows no Schedules and little visibility. Fetched once by Maven into the folder where the Temporal server is kept.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Client, Connection } from '@temporalio/client';
import { type InternalConnectionOptions, InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection.js';
import { TimeSkippingClient } from '@temporalio/testing/lib/client.js';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { cacheFolder } from '../../infra/local/temporal.ts';
import { endProcess, freePort, onPath, waitFor } from '../../infra/local/system.ts';

const VERSION = '1.31.0';
const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>durabase</groupId>
  <artifactId>time-skipping</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

export const skipsTimeSkipping = (process.env['SKIP'] ?? '').split(',').includes('time-skipping');

export interface SkippingServer {
  readonly address: string;
  /** Lets time pass by itself while the result of a workflow is awaited. */
  readonly client: Client;
  /** The server's time, which is what workflows go by. */
  now(): Promise<number>;
  /** Lets so many milliseconds pass, with all that is due in them. */
  pass(ms: number): Promise<void>;
  /** Returns once time stands at `at` (milliseconds since 1970) or later. */
  passUntil(at: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A server of the test's own, at the present time. Started here and not by the SDK's test environment, which makes the native
 * runtime that our workers make with settings of their own.
 */
export async function skippingServer(): Promise<SkippingServer> {
  const folder = await findTestServer();
  const port = await freePort();
  const child = spawn('java', [...JAVA, '-cp', path.join(folder, '*'), 'io.temporal.testserver.TestServer', String(port)], {
    stdio: 'ignore',
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const address = `127.0.0.1:${port}`;
  const options: InternalConnectionOptions = {
    address,
    connectTimeout: 1_000,
    [InternalConnectionOptionsSymbol]: { supportsTestService: true },
  };
  let connection: Connection | undefined;
  const isUp = async (): Promise<boolean> => (connection = await Connection.connect(options).catch(() => undefined)) !== undefined;
  if (!(await waitFor(isUp, 30_000, 100)) || connection === undefined)
    throw new Error(`The time-skipping server did not start on port ${port}.`);
  return skipping(address, connection, async () => {
    process.off('exit', kill);
    await endProcess(child.pid ?? 0, 'SIGKILL', 0);
  });
}

function skipping(address: string, connection: Connection, end: () => Promise<void>): SkippingServer {
  const { testService } = connection;
  if (testService === undefined) throw new Error('The connection has no test service.');
  const now = async (): Promise<number> => {
    const { time } = await testService.getCurrentTime({});
    return Number(time?.seconds ?? 0) * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);
  };
  const pass = async (ms: number): Promise<void> => {
    const duration = { seconds: Math.floor(ms / 1_000) as unknown as Long, nanos: (ms % 1_000) * 1e6 };
    await testService.unlockTimeSkippingWithSleep({ duration });
  };
  return {
    address,
    client: new TimeSkippingClient({ connection, dataConverter }),
    now,
    pass,
    async passUntil(at) {
      const left = at - (await now());
      if (left > 0) await pass(left);
    },
    async stop() {
      await connection.close();
      await end();
    },
  };
}

/** Fails, rather than passing by, where there is no way to run it; `SKIP=time-skipping` says that this is meant. */
async function findTestServer(): Promise<string> {
  const missing = (why: string): Error =>
    new Error(`These tests need Temporal's time-skipping server. ${why} SKIP=time-skipping leaves them out.`);
  if (onPath('java') === undefined) throw missing('Put java (17 or newer) on PATH.');
  const folder = path.join(cacheFolder(), `temporal-test-server-${VERSION}`);
  if (fs.existsSync(folder)) return folder;
  if (onPath('mvn') === undefined) throw missing('Put mvn (Maven) on PATH: it fetches the server once.');
  const made = `${folder}.${process.pid}`;
  try {
    fs.mkdirSync(made, { recursive: true });
    fs.writeFileSync(path.join(made, 'pom.xml'), POM);
    const { code, output } = await maven(made);
    if (code !== 0) throw missing(`Maven could not fetch it: ${output.trim().split('\n').slice(-3).join(' ')}`);
    // Whole or not at all, also where two runs fetch it at the same time.
    if (!fs.existsSync(folder)) fs.renameSync(path.join(made, 'lib'), folder);
    return folder;
  } finally {
    fs.rmSync(made, { recursive: true, force: true });
  }
}

/** Quick to start, small, and content with one processor: it shares the machine with the tests. */
const JAVA = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m'];

function maven(folder: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('mvn', ['-B', '-q', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

type Long = import('long').default;
