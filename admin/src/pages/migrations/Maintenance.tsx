import { Alert, Button } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { rememberedScope } from '../../session.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { MIGRATIONS } from './words.ts';

interface AppAnswer {
  readonly data: { readonly maintenance: boolean | readonly string[] };
}

/** Holding writes back belongs to the platform: an app's own admins are not asked, and see nothing of it. */
export function Maintenance(): ReactElement | null {
  return rememberedScope().kind === 'platform' ? <OfPlatform /> : null;
}

function OfPlatform(): ReactElement | null {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const path = `/api/_platform/apps/${encodeURIComponent(app.name)}`;
  const { data: answer } = useRead<AppAnswer>(path);
  const send = useSend();
  const [isAsking, setAsking] = useState(false);
  if (answer === undefined) return null;
  const held = answer.data.maintenance;
  const isHeld = held !== false;
  const said =
    held === false ? t('maintenance_off') : held === true ? t('maintenance_on') : t('maintenance_some', { entities: held.join(', ') });
  return (
    <>
      <Alert
        severity={isHeld ? 'warning' : 'info'}
        variant="outlined"
        icon={isHeld ? undefined : false}
        sx={{ mb: 2, alignItems: 'center' }}
        action={
          <Button color="inherit" size="small" onClick={() => setAsking(true)}>
            {t(isHeld ? 'maintenance_end' : 'maintenance_begin')}
          </Button>
        }
      >
        <strong>{t('maintenance')}:</strong> {said}
      </Alert>
      {isAsking ? (
        <Confirm
          title={t(isHeld ? 'maintenance_end' : 'maintenance_begin')}
          action={t(isHeld ? 'maintenance_end' : 'maintenance_begin')}
          isDestructive={!isHeld}
          onConfirm={() => send('PUT', path, { maintenance: !isHeld })}
          onClose={() => setAsking(false)}
        >
          {isHeld ? t('maintenance_off') : t('maintenance_told')}
        </Confirm>
      ) : null}
    </>
  );
}
