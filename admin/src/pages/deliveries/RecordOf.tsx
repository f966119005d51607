import { Link } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import type { Delivery } from './delivery.ts';
import { DELIVERIES } from './words.ts';

/** What a test is about: no record there is. */
const MADE_UP = 'test';
/** The end of an id tells it apart: ids begin with the time they were made. */
const SHOWN = 8;

/** To the record that a delivery is about. */
export function RecordOf({ delivery }: { readonly delivery: Delivery }): ReactElement {
  const t = useWords(DELIVERIES);
  const discovery = useDiscovery();
  const { entity, record_id: id } = delivery;
  const label = entityNamed(discovery, entity)?.label ?? entity;
  if (id === MADE_UP) return <span>{t('test_record')}</span>;
  return (
    <Link component={To} to={`/t/${discovery.app.name}/${entity}/${encodeURIComponent(id)}/show`}>
      {label} {id.length > SHOWN ? `…${id.slice(-SHOWN)}` : id}
    </Link>
  );
}
