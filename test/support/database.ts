import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';

/** A fresh database of its own, dropped after the file. Answers its URL. */
export async function freshDatabase(): Promise<string> {
  const admin = inject('postgresUrl');
  const name = `t_${randomBytes(6).toString('hex')}`;
  await once(admin, `create database ${name}`);
  afterAll(() => once(admin, `drop database if exists ${name} with (force)`));
  return admin.replace(/\/postgres$/, `/${name}`);
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
