/** What a start prints when it is ready: addresses and credentials, never tokens. */
import path from 'node:path';
import type { Config } from '../../adapters/config.ts';
import { withoutPassword } from './database.ts';
import { EXAMPLE_APP } from './load-example.ts';

export interface ReadyFacts {
  readonly port: number;
  readonly dataDir: string;
  readonly hasExample: boolean;
  readonly databaseUrl: string;
  /** Under /temporal. */
  readonly hasTemporalUi: boolean;
  readonly seconds: number;
}

const PUBLISHED_PASSWORD = 'changeme';

export function readyTable(config: Config, facts: ReadyFacts): string[] {
  const base = config.port === facts.port ? config.publicUrl : `http://${config.host}:${facts.port}`;
  const isPublished = config.platformAdmin.password === PUBLISHED_PASSWORD;
  const rows: [string, string][] = [
    ['Admin', `${base}/admin`],
    ['Platform admin', `${config.platformAdmin.email} / ${isPublished ? PUBLISHED_PASSWORD : '(PLATFORM_ADMIN_PASSWORD)'}`],
    ...(facts.hasExample
      ? ([
          ['Example app', `${base}/api/${EXAMPLE_APP}`],
          ['Its admin', `admin@localhost / ${PUBLISHED_PASSWORD}`],
        ] as [string, string][])
      : []),
    [
      'Temporal Web UI',
      facts.hasTemporalUi ? `${base}/temporal` : (config.temporal.uiUrl ?? '(neither TEMPORAL_UI_UPSTREAM nor TEMPORAL_UI_URL is set)'),
    ],
    ['Postgres', `${withoutPassword(facts.databaseUrl)}`],
    ['Data and logs', path.resolve(facts.dataDir)],
  ];
  return [
    '',
    `Durabase is ready after ${facts.seconds.toFixed(1)} s`,
    '',
    ...rows.map(([name, text]) => `  ${name.padEnd(16)} ${text}`),
    '',
    ...(facts.hasExample ? tryIt(base) : []),
    ...(isPublished
      ? [
          '  WARNING: these passwords are published. They work on a loopback address only; set PLATFORM_ADMIN_PASSWORD and change',
          '  the app admins before anybody else can reach this machine.',
          '',
        ]
      : []),
    '  Ctrl-C stops everything.',
    '',
  ];
}

const tryIt = (base: string): string[] => [
  '  Try:',
  `    TOKEN=$(curl -s ${base}/api/${EXAMPLE_APP}/auth/login -H 'Content-Type: application/json' \\`,
  `      -d '{"email":"admin@localhost","password":"${PUBLISHED_PASSWORD}"}' | node -pe 'JSON.parse(fs.readFileSync(0)).data.access_token')`,
  `    curl -s -H "Authorization: Bearer $TOKEN" "${base}/api/${EXAMPLE_APP}/ticket?per_page=3"`,
  '',
];
