import { Link, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { UserInput } from '../../accounts/UserInput.tsx';
import { appPath } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { FieldChanges } from '../../resources/record/FieldChanges.tsx';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { AddressField } from '../../ui/AddressField.tsx';
import type { Column } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { actorName } from './actor.ts';
import { queryOf, type RecordChange } from './entry.ts';
import { Choice, FilterBar, Times, useFilter } from './Filters.tsx';
import { Found } from './Found.tsx';
import { AUDIT } from './words.ts';

const TONES: Readonly<Record<RecordChange['action'], Tone>> = { create: 'done', update: 'info', delete: 'failed', restore: 'running' };
const ACTIONS = Object.keys(TONES) as readonly RecordChange['action'][];

export function RecordChanges(): ReactElement {
  const t = useWords(AUDIT);
  const { app, entities } = useDiscovery();
  const { params, choose } = useFilter();
  const columns: readonly Column<RecordChange>[] = [
    { key: 'at', label: t('at'), cell: ({ at }) => <Time at={at} /> },
    { key: 'actor', label: t('actor'), cell: ({ actor }) => actorName(actor, t) },
    { key: 'action', label: t('action'), cell: ({ action }) => <Status tone={TONES[action]} label={t(action)} /> },
    { key: 'record', label: t('record'), cell: (change) => <Subject change={change} /> },
    { key: 'changes', label: t('changes'), width: '45%', cell: (change) => <What change={change} /> },
  ];
  return (
    <>
      <FilterBar>
        <Choice
          label={t('entity')}
          any={t('any_entity')}
          value={params.get('entity')}
          options={entities.map(({ name, label }) => [name, label])}
          onChange={(entity) => choose('entity', entity)}
        />
        {params.get('entity') === null ? null : (
          <AddressField
            size="small"
            label={t('record')}
            value={params.get('record') ?? ''}
            onChange={(typed) => choose('record', typed.trim())}
          />
        )}
        <Choice
          label={t('action')}
          any={t('any_action')}
          value={params.get('action')}
          options={ACTIONS.map((action) => [action, t(action)])}
          onChange={(action) => choose('action', action)}
        />
        <UserInput label={t('actor')} value={params.get('actor')} onChange={(id) => choose('actor', id ?? '')} />
        <Times params={params} choose={choose} />
      </FilterBar>
      <Found<RecordChange>
        label={t('tab_records')}
        path={`${appPath(app.name)}/_admin/changes`}
        query={queryOf('records', params)}
        columns={columns}
        keyOf={({ id }) => id}
        cells={({ at, actor, entity, record_id: record, action, version, changes }) => ({
          at,
          actor: actorName(actor, t),
          entity,
          record,
          action,
          version,
          changes: JSON.stringify(changes),
        })}
        file={`${app.name}-changes`}
      />
    </>
  );
}

/** The record, for as long as it is there to be opened. */
function Subject({ change: { entity: name, record_id: record, action } }: { readonly change: RecordChange }): ReactElement {
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, name);
  const label = entity?.label ?? name;
  return (
    <>
      <div>{label}</div>
      {entity === undefined || action === 'delete' ? (
        <code>{record}</code>
      ) : (
        <Link
          component={RouterLink}
          to={`/t/${discovery.app.name}/${name}/${encodeURIComponent(record)}/show`}
          sx={{ fontFamily: 'monospace' }}
        >
          {record}
        </Link>
      )}
    </>
  );
}

function What({ change }: { readonly change: RecordChange }): ReactElement {
  const t = useWords(AUDIT);
  const discovery = useDiscovery();
  const gone = change.gone_fields ?? [];
  return (
    <>
      <FieldChanges entity={entityNamed(discovery, change.entity)} changes={change.changes} />
      {gone.length === 0 ? null : <Typography variant="caption">{t('gone', { fields: gone.join(', ') })}</Typography>}
      {change.cause === null ? null : (
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
          {t('because', { run: change.cause })}
        </Typography>
      )}
    </>
  );
}
