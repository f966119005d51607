import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Status } from '../../ui/Status.tsx';
import { TONES, type Migration } from './migration.ts';
import { MIGRATIONS } from './words.ts';

export function MigrationState({ migration }: { readonly migration: Pick<Migration, 'status' | 'phase'> }): ReactElement {
  const t = useWords(MIGRATIONS);
  const isAfterGrace = migration.status === 'ready' && migration.phase === 'contract';
  return <Status tone={TONES[migration.status]} label={t(isAfterGrace ? 'ready_contract' : migration.status)} />;
}
