/** The load generator for machines without wrk: a process of its own, so that its CPU is counted to nobody. */
import fs from 'node:fs';
import net from 'node:net';

const [port, connections, seconds, file] = process.argv.slice(2);
const alsoRight = Number(process.env.BENCH_ALSO_RIGHT);
const bytes = fs.readFileSync(file);
const requests = [];
for (let at = 0; at < bytes.length;) {
  const end = bytes.indexOf(10, at);
  const length = Number(bytes.toString('latin1', at, end));
  requests.push(bytes.subarray(end + 1, end + 1 + length));
  at = end + 1 + length;
}

const latencies = [];
let next = 0;
let badStatus = 0;
let socketErrors = 0;
const started = performance.now();
const until = started + Number(seconds) * 1000;

/** One connection: a request, its whole answer, the next one. Answers must carry their length. */
function drive() {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1');
    let sentAt = 0;
    let received = Buffer.alloc(0);
    const send = () => {
      if (performance.now() >= until) return socket.end(resolve);
      sentAt = performance.now();
      socket.write(requests[next++ % requests.length]);
    };
    socket.setNoDelay(true);
    socket.on('connect', send);
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: *(\d+)/i.exec(received.toString('latin1', 0, head))?.[1] ?? 0);
      if (received.length < head + 4 + length) return;
      const status = Number(received.toString('latin1', 9, 12));
      if (status >= 300 && status !== alsoRight) badStatus++;
      latencies.push(performance.now() - sentAt);
      received = received.subarray(head + 4 + length);
      send();
    });
    socket.on('error', () => {
      socketErrors++;
      resolve();
    });
  });
}

await Promise.all(Array.from({ length: Number(connections) }, drive));
const sorted = latencies.sort((a, b) => a - b);
const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const result = {
  requests: sorted.length,
  seconds: (performance.now() - started) / 1000,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  badStatus,
  socketErrors,
};
console.log(`BENCH ${JSON.stringify(result)}`);
