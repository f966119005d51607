/** What is on the screen, as a program asks for it. */
import { filterTree, queryOf } from '../../../../client/collection.ts';
import { appPath } from '../../api/use-api.ts';
import type { Wish } from './stream.ts';

export const LANGUAGES = ['curl', 'event_source', 'client'] as const;
export type Language = (typeof LANGUAGES)[number];

const addressOf = (app: string, { entities, filter, includeRecord }: Wish): string =>
  `${window.location.origin}${appPath(app)}/_events${queryOf({
    entities: entities.length === 0 ? undefined : entities,
    filter: filter === undefined ? undefined : filterTree(filter),
    include_record: includeRecord ? true : undefined,
  })}`;

/** Within single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const curl = (app: string, wish: Wish): string =>
  `curl -N -H 'Accept: text/event-stream' -H "X-Api-Key: $KEY" \\\n  ${quoted(addressOf(app, wish))}`;

function eventSource(app: string, wish: Wish): string {
  const address = addressOf(app, wish);
  return `const answer = await fetch('${window.location.origin}${appPath(app)}/_events/ticket', {
  method: 'POST', headers: { Authorization: \`Bearer \${token}\` },
});
const { data } = await answer.json();
const stream = new EventSource(
  ${JSON.stringify(`${address}${address.includes('?') ? '&' : '?'}ticket=`)} + data.ticket,
);
for (const type of ['record.created', 'record.updated', 'record.deleted', 'custom']) {
  stream.addEventListener(type, (event) => console.log(JSON.parse(event.data)));
}`;
}

function ownClient(app: string, { entities, filter, includeRecord }: Wish): string {
  const options = [
    ...(entities.length === 0 ? [] : [`entities: ${JSON.stringify(entities)}`]),
    ...(filter === undefined ? [] : [`filter: ${JSON.stringify(filter)}`]),
    ...(includeRecord ? ['includeRecord: true'] : []),
    'onEvent: (event) => console.log(event)',
    'onReset: () => console.log("read the lists again")',
  ];
  return `const client = createClient(${JSON.stringify(window.location.origin)}, { app: ${JSON.stringify(app)}, apiKey });
const subscription = client.subscribe({
${options.map((option) => `  ${option},`).join('\n')}
});`;
}

export const snippetOf = (language: Language, app: string, wish: Wish): string =>
  ({ curl, event_source: eventSource, client: ownClient })[language](app, wish);
