import { Alert, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { entityNamed, useDiscovery } from '../shell/discovery-context.ts';
import { Rows } from '../ui/Rows.tsx';
import type { TriedConversion } from './types.ts';
import { PLAN } from './words.ts';

/** Each conversion as it went on the records that are there, with those that would be quarantined: they can be repaired beforehand. */
export function Conversions({ conversions }: { readonly conversions: readonly TriedConversion[] }): ReactElement {
  return (
    <Stack spacing={1.5}>
      {conversions.map((tried) => (
        <Tried key={`${tried.entity}.${tried.fields.join('.')}`} tried={tried} />
      ))}
    </Stack>
  );
}

function Tried({ tried }: { readonly tried: TriedConversion }): ReactElement {
  const t = useWords(PLAN);
  const format = useFormat();
  const { entity, fields, kind, checked, failing, is_whole: isWhole, sample } = tried;
  const title = t(`tried_${kind}`, { entity, fields: fields.join(', ') });
  if (failing === 0) {
    const said = t(isWhole ? (checked === 0 ? 'fits_none_there' : 'fits_all') : 'fits_part', { checked: format.number(checked) });
    return (
      <Alert severity={isWhole ? 'success' : 'info'}>
        <strong>{title}.</strong> {said}
      </Alert>
    );
  }
  return (
    <Stack spacing={1}>
      <Alert severity="warning">
        <strong>
          {title}. {t(isWhole ? 'fails' : 'fails_part', { failing: format.number(failing), checked: format.number(checked) })}
        </strong>{' '}
        {t('fails_told')}
      </Alert>
      <Rows
        label={title}
        rows={sample}
        keyOf={(row) => `${row.record_id} ${row.field}`}
        columns={[
          { key: 'record', label: t('record'), cell: (row) => <RecordLink entity={entity} id={row.record_id} /> },
          { key: 'value', label: t('value'), cell: (row) => (row.value === null ? t('no_value') : <code>{row.value}</code>) },
          { key: 'problem', label: t('problem'), cell: (row) => row.error },
        ]}
      />
      {failing > sample.length ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('first_ten', { count: sample.length })}
        </Typography>
      ) : null}
    </Stack>
  );
}

/** To the record's form, where it can be repaired; only its id where the served version calls its entity otherwise. */
export function RecordLink({ entity, id }: { readonly entity: string; readonly id: string }): ReactElement {
  const discovery = useDiscovery();
  const short = id.length > 20 ? `…${id.slice(-12)}` : id;
  if (entityNamed(discovery, entity)?.permissions.update !== true) return <code title={id}>{short}</code>;
  return (
    <Link
      component={RouterLink}
      to={`/t/${discovery.app.name}/${entity}/${encodeURIComponent(id)}`}
      title={id}
      sx={{ fontFamily: 'monospace' }}
    >
      {short}
    </Link>
  );
}
