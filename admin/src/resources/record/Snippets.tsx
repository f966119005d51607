import { Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useRecordContext } from 'react-admin';
import { useWords } from '../../i18n/words.ts';
import { Code } from '../../ui/Code.tsx';
import type { EntityProps } from '../shape.ts';
import { recordPath } from './path.ts';
import { RECORD } from './words.ts';

/** How a program reads and changes this very record. */
export function Snippets({ discovery, entity }: EntityProps): ReactElement | null {
  const t = useWords(RECORD);
  const record = useRecordContext();
  if (record === undefined) return null;
  const url = `${window.location.origin}${recordPath(discovery, entity, record.id)}`;
  const field = entity.fields.find((one) => one.writable && !one.auto && one.name !== entity.primary_key.field);
  const body = field === undefined ? undefined : JSON.stringify({ [field.name]: record[field.name] ?? null });
  const curl = `curl '${url}' -H "Authorization: Bearer $TOKEN"`;
  const client = [
    `import { createClient } from './client/client.ts';`,
    '',
    `const app = createClient('${window.location.origin}', { app: '${discovery.app.name}' });`,
    `const record = await app.collection('${entity.name}').get('${String(record.id)}');`,
  ].join('\n');
  const parts: readonly (readonly [label: string, text: string])[] = [
    [t('curl_read'), curl],
    ...(entity.permissions.update && body !== undefined
      ? [
          [
            t('curl_change'),
            `${curl} \\\n  -X PATCH -H 'Content-Type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`,
          ] as const,
        ]
      : []),
    [t('client'), client],
  ];
  return (
    <Stack spacing={2}>
      {parts.map(([label, text]) => (
        <div key={label}>
          <Typography variant="subtitle2" component="h3" gutterBottom>
            {label}
          </Typography>
          <Code label={label} text={text} />
        </div>
      ))}
    </Stack>
  );
}
