/**
 * Requests to strangers' servers. The name is resolved once, every address is checked, and the connection goes to the checked
 * address (no second lookup: DNS rebinding). No redirects; bounded time and answer size.
 */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { createResolver, type Resolve } from './resolver.ts';

export interface OutboundRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whole exchange; default 15,000. */
  readonly timeoutMs?: number;
}

export interface OutboundResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most 64 KiB. */
  readonly body: string;
  readonly latencyMs: number;
}

export type OutboundFailure = 'denied' | 'timeout' | 'connection';

/** `denied` never left this machine; the message is fit for the app's admin to read. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly kind: OutboundFailure;
  constructor(kind: OutboundFailure, message: string) {
    super(message);
    this.kind = kind;
  }
}

const MAX_RESPONSE_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;

/** Networks no webhook may reach unless listed by the operator (RFC 6890 and friends). */
const PRIVATE_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
  '2002::/16',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

const blockList = (networks: readonly string[]): net.BlockList => {
  const list = new net.BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), net.isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
};

const denied = blockList(PRIVATE_NETWORKS);

/** `::ffff:a.b.c.d` in any spelling is the IPv4 address it maps. */
function unmapped(address: string): string {
  const bare = address.replace(/%.*$/, '');
  if (!net.isIPv6(bare)) return bare;
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (dotted?.[1] !== undefined) return dotted[1];
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export interface Outbound {
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /** Why this address would be refused, without sending anything; null when it may be reached or cannot be resolved yet. */
  refusal(url: string): Promise<string | null>;
  close(): void;
}

/** Where HTTP is spoken: its own ports, and those that are nobody's. */
export const USUAL_PORTS: readonly PortRange[] = [
  { from: 80, to: 80 },
  { from: 443, to: 443 },
  { from: 1024, to: 65_535 },
];

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export function createOutbound(
  allowCidrs: readonly string[],
  ports: readonly PortRange[] = USUAL_PORTS,
  resolve: Resolve = createResolver(),
): Outbound {
  const allowed = blockList(allowCidrs);
  const isReachable = (address: string): boolean => {
    const plain = unmapped(address);
    const family = net.isIPv6(plain) ? 'ipv6' : 'ipv4';
    return allowed.check(plain, family) || !denied.check(plain, family);
  };
  const lookup: net.LookupFunction = (hostname, options, callback) => {
    const fail = (error: Error): void => callback(error, '', 4);
    resolve(hostname).then((addresses) => {
      const refused = addresses.find((entry) => !isReachable(entry.address));
      if (refused !== undefined) return fail(new OutboundError('denied', refusalMessage(hostname, refused.address)));
      const first = addresses[0];
      if (first === undefined) return fail(new OutboundError('connection', `${hostname} has no address.`));
      if (options.all === true) return callback(null, [...addresses]);
      callback(null, first.address, first.family);
    }, fail);
  };
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 64, lookup, timeout: 30_000 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 64, lookup, timeout: 30_000 }),
  };
  const check = (url: URL): void => {
    const refusal = staticRefusal(url, isReachable, ports);
    if (refusal !== null) throw new OutboundError('denied', refusal);
  };
  return {
    async send(request) {
      const url = parseUrl(request.url);
      check(url);
      return exchange(url, request, agents);
    },
    async refusal(text) {
      try {
        const url = parseUrl(text);
        check(url);
        if (net.isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return null;
        const addresses = await resolve(url.hostname);
        const refused = addresses.find((entry) => !isReachable(entry.address));
        return refused === undefined ? null : refusalMessage(url.hostname, refused.address);
      } catch (error) {
        return error instanceof OutboundError ? error.message : null;
      }
    },
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

const refusalMessage = (host: string, address: string): string =>
  `${host} is ${address}, in a private or reserved network. WEBHOOK_ALLOW_CIDRS can allow it.`;

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    // "localhost." is localhost spelled for the root zone, which some resolvers do not know.
    url.hostname = url.hostname.replace(/\.$/, '');
    return url;
  } catch {
    throw new OutboundError('denied', `"${text.slice(0, 100)}" is not an address.`);
  }
}

/** What can be refused without looking a name up. URL parsing has already made 127.0.0.1 out of 2130706433, 0x7f.1 and 0177.1. */
function staticRefusal(url: URL, isReachable: (address: string) => boolean, ports: readonly PortRange[]): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `Only http and https are called, not ${url.protocol}`;
  if (url.username !== '' || url.password !== '') return 'An address may not hold a user name or password; use a header with a secret.';
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
  if (!ports.some(({ from, to }) => from <= port && port <= to))
    return `Port ${port} is not among those that may be called (WEBHOOK_PORTS).`;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (net.isIP(host) !== 0 && !isReachable(host)) return refusalMessage(url.hostname, unmapped(host));
  return null;
}

async function exchange(
  url: URL,
  request: OutboundRequest,
  agents: { readonly 'http:': http.Agent; readonly 'https:': https.Agent },
): Promise<OutboundResponse> {
  const started = performance.now();
  const isSecure = url.protocol === 'https:';
  const timeoutMs = request.timeoutMs ?? 15_000;
  return new Promise((resolve, reject) => {
    const options: https.RequestOptions = {
      method: request.method,
      headers: request.headers,
      agent: isSecure ? agents['https:'] : agents['http:'],
    };
    const outgoing = begin(() => (isSecure ? https.request(url, options) : http.request(url, options)));
    // The deadline covers the whole exchange, so a receiver that drips its answer cannot hold us.
    const deadline = setTimeout(() => outgoing.destroy(new OutboundError('timeout', `No full answer within ${timeoutMs} ms.`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(deadline);
      reject(error instanceof OutboundError ? error : new OutboundError('connection', error.message || 'The connection failed.'));
    };
    outgoing.on('error', fail);
    outgoing.on('timeout', () => outgoing.destroy(new OutboundError('timeout', `No connection within ${CONNECT_TIMEOUT_MS} ms.`)));
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return;
      socket.setTimeout(CONNECT_TIMEOUT_MS);
      socket.once('connect', () => socket.setTimeout(0));
    });
    outgoing.on('response', (response) => {
      readBounded(response).then((body) => {
        clearTimeout(deadline);
        resolve({
          status: response.statusCode ?? 0,
          headers: { 'retry-after': response.headers['retry-after'], 'content-type': response.headers['content-type'] },
          body,
          latencyMs: Math.round(performance.now() - started),
        });
      }, fail);
    });
    outgoing.end(request.body);
  });
}

/** What cannot be put on the wire, like a line break in a header, is refused before there is a connection. */
function begin(make: () => http.ClientRequest): http.ClientRequest {
  try {
    return make();
  } catch (error) {
    throw new OutboundError('denied', `The request cannot be made: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

async function readBounded(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const room = MAX_RESPONSE_BYTES - size;
    chunks.push(chunk.subarray(0, room));
    size += Math.min(chunk.length, room);
    if (size >= MAX_RESPONSE_BYTES) {
      response.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).toString('utf8').replaceAll('\0', '');
}
