import UploadFileOutlined from '@mui/icons-material/UploadFileOutlined';
import type { ReactElement } from 'react';
import { Button } from 'react-admin';
import { Link } from 'react-router-dom';
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';
import { useLocale } from '../../i18n/locale.ts';
import { isImportable } from './import.ts';

const LABEL = { en: 'Import', de: 'Importieren' } as const;

/** To a new import into the entity of a list; nothing for who may not write it. */
export function ImportButton({
  discovery,
  entity,
}: {
  readonly discovery: Discovery;
  readonly entity: DiscoveredEntity;
}): ReactElement | null {
  const locale = useLocale();
  if (!isImportable(entity)) return null;
  const to = `/t/${discovery.app.name}/_imports/new?entity=${encodeURIComponent(entity.name)}`;
  return (
    <Button component={Link} to={to} label={LABEL[locale]}>
      <UploadFileOutlined />
    </Button>
  );
}
