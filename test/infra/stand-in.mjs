// Stands in for dist/cli/main.js: keeps the supervisor's protocol and does nothing else.
import http from 'node:http';

const [, , verb, ...args] = process.argv;
if (process.env.STAND_IN_DIES === verb) setTimeout(() => (console.error('the last words'), process.exit(1)), 100);
if (verb === 'api') {
  http
    .createServer((request, response) => response.end(`{"with":"${args.join()}"}`))
    .listen(Number(process.env.PORT), '127.0.0.1', () => process.send({ type: 'ready' }));
} else {
  setInterval(() => undefined, 1000);
  process.send({ type: 'ready' });
}
process.on('SIGTERM', () => (console.error(`${verb} told to stop`), process.exit(0)));
process.on('disconnect', () => process.exit(0));
