/** The words one may say to a migration now; each is an update of its workflow, so the answer says whether it counted. */
import { Alert, Button, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { ApiError } from '../../../../client/client.ts';
import { appPath, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { isBeforeSwitch, type Migration } from './migration.ts';
import { MIGRATIONS } from './words.ts';

type Word = 'approve' | 'reject' | 'pause' | 'resume' | 'abort' | 'contract' | 'drop';

export function Actions({ migration }: { readonly migration: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const [asked, setAsked] = useState<Word>();
  const button = (word: Word, looks: { readonly isMain?: boolean; readonly isRed?: boolean } = {}): ReactElement => (
    <Button
      key={word}
      size="small"
      variant={looks.isMain === true ? 'contained' : 'outlined'}
      color={looks.isRed === true ? 'error' : 'primary'}
      onClick={() => setAsked(word)}
    >
      {t(word)}
    </Button>
  );
  return (
    <>
      {wordsFor(migration).map((word) => button(word, { isMain: word === 'approve' || word === 'resume', isRed: RED.has(word) }))}
      {canRollBack(migration) ? (
        <Button
          component={RouterLink}
          size="small"
          variant="outlined"
          to={`/t/${app.name}/_versions/${String(migration.from_version)}/rollback`}
        >
          {t('roll_back', { from: migration.from_version })}
        </Button>
      ) : null}
      {asked === undefined ? null : <Say word={asked} migration={migration} onClose={() => setAsked(undefined)} />}
    </>
  );
}

const RED: ReadonlySet<Word> = new Set(['reject', 'abort', 'drop', 'contract']);

function wordsFor(migration: Migration): readonly Word[] {
  switch (migration.status) {
    case 'awaiting_approval':
      return ['reject', 'approve'];
    case 'planned':
    case 'running':
      return ['abort', 'pause'];
    case 'paused':
      return ['abort', 'resume'];
    case 'ready':
      if (migration.phase === 'grace') return ['contract'];
      return migration.retention_until === null ? [] : ['drop'];
    default:
      return [];
  }
}

const canRollBack = (migration: Migration): boolean =>
  !isBeforeSwitch(migration) && migration.status === 'ready' && migration.from_version > 0 && migration.phase === 'grace';

interface SayProps {
  readonly word: Word;
  readonly migration: Migration;
  readonly onClose: () => void;
}

/** What has no consequences is said at once in the dialog, too: it shows what was refused. */
function Say({ word, migration, onClose }: SayProps): ReactElement {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const send = useSend();
  const [comment, setComment] = useState('');
  const [isStale, setStale] = useState(false);
  const path = `${appPath(app.name)}/_admin/migrations/${migration.id}`;
  const say = async (): Promise<unknown> => {
    const body =
      word === 'drop'
        ? { drop: true }
        : word === 'contract'
          ? {}
          : { ...(comment === '' ? {} : { comment }), ...(word === 'approve' ? { plan_hash: migration.plan_hash } : {}) };
    try {
      return await send('POST', `${path}/${word === 'drop' ? 'contract' : word}`, body);
    } catch (error) {
      setStale(error instanceof ApiError && error.status === 409);
      throw error;
    }
  };
  const clients = migration.old_traffic?.clients ?? 0;
  const told: Readonly<Record<Word, readonly [title: string, text: string]>> = {
    approve: [t('approve_title'), t('approve_told', { hash: migration.plan_hash.slice(0, 12) })],
    reject: [t('reject_title'), t('reject_told')],
    pause: [t('pause'), t('now_paused', { from: migration.from_version })],
    resume: [t('resume'), ''],
    abort: [t('abort_title'), t('abort_told', { from: migration.from_version })],
    contract: [
      t('contract_title'),
      `${t('contract_told', { from: migration.from_version })}${clients === 0 ? '' : ` ${t('contract_clients', clients)}.`}`,
    ],
    drop: [t('drop_title'), t('drop_told')],
  };
  const [title, text] = told[word];
  const hasComment = word !== 'contract' && word !== 'drop';
  return (
    <Confirm
      title={title}
      action={t(word)}
      isDestructive={word === 'abort' || word === 'drop' || word === 'contract'}
      {...(word === 'drop' ? { typed: app.name } : {})}
      onConfirm={say}
      onClose={onClose}
      extra={
        <>
          {isStale ? <Alert severity="info">{t('changed_since')}</Alert> : null}
          {hasComment ? (
            <TextField
              size="small"
              label={t(word === 'approve' ? 'comment' : 'comment_why')}
              value={comment}
              onChange={(event) => setComment(event.target.value)}
              multiline
              maxRows={4}
            />
          ) : null}
        </>
      }
    >
      {text === '' ? undefined : text}
    </Confirm>
  );
}
