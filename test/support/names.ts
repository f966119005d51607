/**
 * Names of a proof's own: a DNS server that knows every name under `proof.test` as this machine, and leaves the slow ones without an
 * answer. Processes ask it when they are run by the `prefix` of `systemNames`, which needs Linux, root and `unshare`.
 */
import { execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ADDRESS = '127.0.77.53';
const HEADER_BYTES = 12;
/** An answer, recursion desired and available. */
const ANSWERS = 0x8180;
const NO_SUCH_NAME = 3;
const TYPE_A = 1;

export interface Names {
  readonly port: number;
  /** Names that were asked for, as often as they were. */
  readonly asked: readonly string[];
  close(): void;
}

/** Names that begin with `slow` are never answered, those that begin with `unknown` do not exist; any other is 127.0.0.1. */
export async function startNames(address = '127.0.0.1', port = 0): Promise<Names> {
  const socket = dgram.createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (question, from) => {
    const { name, end } = nameIn(question);
    asked.push(name);
    if (!name.startsWith('slow')) socket.send(answerTo(question, end, name.startsWith('unknown')), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });
  return { port: socket.address().port, asked, close: () => socket.close() };
}

function nameIn(question: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

/** 127.0.0.1 for an IPv4 address, nothing for any other type. */
function answerTo(question: Buffer, nameEnd: number, isUnknown: boolean): Buffer {
  const isKnown = !isUnknown && question.readUInt16BE(nameEnd) === TYPE_A;
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(ANSWERS | (isUnknown ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isKnown ? 1 : 0, 6);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, question.subarray(HEADER_BYTES, nameEnd + 4), isKnown ? record : Buffer.alloc(0)]);
}

/** The system's names of one process replaced by ours; undefined where that cannot be done. */
export async function systemNames(): Promise<(Names & { readonly prefix: readonly string[] }) | undefined> {
  if (!canUnshare()) return undefined;
  const names = await startNames(ADDRESS, 53).catch(() => undefined);
  if (names === undefined) return undefined;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-names-'));
  const file = path.join(folder, 'resolv.conf');
  fs.writeFileSync(file, `nameserver ${ADDRESS}\n`);
  return {
    ...names,
    prefix: ['unshare', '--mount', 'sh', '-c', `mount --bind ${file} /etc/resolv.conf && exec "$@"`, 'sh'],
    close() {
      names.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
