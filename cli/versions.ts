/** The versions of an app, asked of its api. */
import type { Session } from './http.ts';

/** Version 0 is the empty document. */
export async function documentOfVersion(session: Session, version: number): Promise<unknown> {
  if (version === 0) return { version: 1 };
  const answer = await session.request('GET', `/api/${session.app}/_admin/versions/${version}`);
  return (JSON.parse(answer) as { data: { document: unknown } }).data.document;
}
