/** What processes cost while they wait, from what the kernel counts. Linux. */
import fs from 'node:fs';

/** Linux counts in hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** With the processes it has started, living and waited for: a Postgres is many. */
function cpuOfTreeMs(pid: number): number {
  const ended = statOf(pid);
  return cpuMs(pid) + (Number(ended[13]) + Number(ended[14])) * 10 + childrenOf(pid).reduce((sum, child) => sum + cpuOfTreeMs(child), 0);
}

function childrenOf(pid: number): number[] {
  const processes = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(Number).filter((other) => Number(statOf(other)[1]) === pid);
}

/** From the state on; all zero for one that has just ended. */
function statOf(pid: number): readonly string[] {
  try {
    return fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return Array.from({ length: 15 }, () => '0');
  }
}

/** Shares of one processor over a while. */
export async function idleCpu(pids: readonly number[], ms: number): Promise<number[]> {
  const before = pids.map(cpuOfTreeMs);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return pids.map((pid, index) => (cpuOfTreeMs(pid) - (before[index] ?? 0)) / ms);
}

/** Resident, of the process alone, in megabytes: what a tree shares would be counted many times. */
export function memoryMb(pid: number): number {
  const [, kb] = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb ?? 0) / 1024);
}

export const percent = (share = 0): string => `${(share * 100).toFixed(1)} %`;
