/**
 * Addresses of strangers' names. The system's own look-up takes one of very few threads until it is over: two names whose servers
 * are silent would hold up all others for ten seconds. So the name servers are asked directly, which waits for nobody else;
 * the hosts file goes before them, as it does in the system.
 */
import dns from 'node:dns';
import fs from 'node:fs';

/** All addresses of a name; fails when there is none. */
export type Resolve = (host: string) => Promise<readonly dns.LookupAddress[]>;

export interface ResolverOptions {
  readonly hostsFile?: string;
  /** The search list and `ndots` are read from it, the name servers too where `servers` are not given. */
  readonly settingsFile?: string;
  /** `address:port` of name servers. */
  readonly servers?: readonly string[];
  /** Whom to ask for names that the name servers do not know. */
  readonly system?: Resolve;
}

/** Files of the system are read again after this long. */
const READ_AGAIN_MS = 30_000;
/** Of one try; the second waits twice as long. Together they stay below what a connection may take. */
const TRY_MS = 1_000;
const TRIES = 2;
/** There is such a name server, and it says that there is no such name; or there is none. */
const UNKNOWN = new Set<string>([dns.NOTFOUND, dns.NODATA, dns.CONNREFUSED]);
const LOOPBACK: readonly dns.LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

interface Settings {
  readonly readAt: number;
  readonly hosts: ReadonlyMap<string, readonly dns.LookupAddress[]>;
  readonly search: readonly string[];
  readonly ndots: number;
  readonly servers: dns.promises.Resolver;
}

export function createResolver(options: ResolverOptions = {}): Resolve {
  const fromElsewhere = inLine(options.system ?? ((host) => dns.promises.lookup(host, { all: true, verbatim: true })));
  let settings: Settings | undefined;
  return async (given) => {
    const host = given.toLowerCase();
    if (settings === undefined || performance.now() - settings.readAt > READ_AGAIN_MS) settings = readSettings(options);
    const listed = settings.hosts.get(host);
    if (listed !== undefined) return listed;
    if (host === 'localhost' || host.endsWith('.localhost')) return LOOPBACK;
    for (const name of spellings(host, settings)) {
      const found = await asked(settings.servers, name);
      if (found.length > 0) return found;
    }
    return fromElsewhere(host);
  };
}

/** A name with few dots is looked for in the domains of the search list first. */
function spellings(host: string, { search, ndots }: Settings): readonly string[] {
  const longer = search.map((domain) => `${host}.${domain}`);
  return host.split('.').length > ndots ? [host, ...longer] : [...longer, host];
}

/** Nothing where the name is unknown; fails when nobody said so. */
async function asked(servers: dns.promises.Resolver, name: string): Promise<readonly dns.LookupAddress[]> {
  const [four, six] = await Promise.allSettled([servers.resolve4(name), servers.resolve6(name)]);
  const found = [
    ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
    ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (found.length > 0) return found;
  for (const answer of [four, six]) {
    if (answer.status !== 'rejected') continue;
    const { code } = answer.reason as NodeJS.ErrnoException;
    if (code === undefined || !UNKNOWN.has(code)) throw new Error(`The name ${name} could not be looked up (${code ?? 'no answer'}).`);
  }
  return [];
}

/** Directories and the names of a local network know more. They take the threads that this file keeps away from: one by one. */
function inLine(resolve: Resolve): Resolve {
  const open = new Map<string, Promise<readonly dns.LookupAddress[]>>();
  let last: Promise<unknown> = Promise.resolve();
  return (host) => {
    const known = open.get(host);
    if (known !== undefined) return known;
    const found = last.then(() => resolve(host)).finally(() => open.delete(host));
    open.set(host, found);
    last = found.catch(() => undefined);
    return found;
  };
}

function readSettings({ hostsFile = '/etc/hosts', settingsFile = '/etc/resolv.conf', servers }: ResolverOptions): Settings {
  const words = linesOf(settingsFile);
  const search = words.findLast(([keyword]) => keyword === 'search' || keyword === 'domain')?.slice(1) ?? [];
  const ndots = words.flatMap(([keyword, ...rest]) => (keyword === 'options' ? rest : [])).findLast((word) => word.startsWith('ndots:'));
  const resolver = new dns.promises.Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    readAt: performance.now(),
    hosts: hostsOf(hostsFile),
    search,
    ndots: Number(ndots?.slice('ndots:'.length) ?? 1),
    servers: resolver,
  };
}

function hostsOf(file: string): ReadonlyMap<string, readonly dns.LookupAddress[]> {
  const hosts = new Map<string, dns.LookupAddress[]>();
  for (const [address = '', ...names] of linesOf(file)) {
    const entry = { address, family: address.includes(':') ? 6 : 4 };
    for (const name of names) hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), entry]);
  }
  return hosts;
}

/** Words of each line, without comments. Nothing where there is no such file. */
function linesOf(file: string): string[][] {
  try {
    return fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .map((line) =>
        line
          .replace(/[#;].*$/, '')
          .trim()
          .split(/\s+/),
      )
      .filter(([first]) => first !== '');
  } catch {
    return [];
  }
}
