import { Box, Button, Link, Typography } from '@mui/material';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { useSend } from '../../api/use-api.ts';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords, type Translate } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Time } from '../../ui/Time.tsx';
import type { EntityProps } from '../shape.ts';
import { CommentEntry } from './CommentEntry.tsx';
import { chosenChanges, FieldChanges, labelOf } from './FieldChanges.tsx';
import type { ActorSeen, ChangeEntry, TimelineEntry } from './timeline.ts';
import { RECORD } from './words.ts';

interface EntryProps extends EntityProps {
  readonly entry: TimelineEntry;
  readonly path: string;
}

type T = Translate<keyof typeof RECORD.byLocale.en>;

export function Entry({ entry, path, discovery, entity }: EntryProps): ReactElement {
  const t = useWords(RECORD);
  const runs = `/t/${discovery.app.name}/_runs`;
  switch (entry.type) {
    case 'change':
    case 'transition':
      return <Changed entry={entry} path={path} entity={entity} />;
    case 'comment':
      return (
        <Line at={entry.at} who={nameOf(entry.comment.author, t)} what={t('commented')}>
          <CommentEntry comment={entry.comment} path={path} />
        </Line>
      );
    case 'run':
      return (
        <Line
          at={entry.at}
          who={entry.actor === undefined || entry.actor === null ? undefined : nameOf(entry.actor, t)}
          what={
            entry.event === 'begun'
              ? t('run_begun', { workflow: entry.workflow })
              : t('run_ended', { workflow: entry.workflow, status: entry.status ?? '' })
          }
        >
          {entry.error ? <Typography color="error">{entry.error}</Typography> : null}
        </Line>
      );
    case 'vote':
      return (
        <Line
          at={entry.at}
          who={nameOf(entry.actor, t)}
          what={
            t('voted', { decision: entry.decision, workflow: entry.workflow, step: entry.step }) +
            (entry.for ? ` ${t('for_whom', { whom: nameOf(entry.for, t) })}` : '')
          }
        >
          {entry.comment ? <Typography>“{entry.comment}”</Typography> : null}
          <Link component={RouterLink} to={`${runs}/${entry.run_id}`} variant="body2">
            {t('open_run')}
          </Link>
        </Line>
      );
    case 'clock':
      return <Line at={entry.at} what={t('clock_mark', { sla: entry.sla, mark: [entry.mark, entry.label].filter(Boolean).join(' ') })} />;
    case 'delivery':
      return (
        <Line at={entry.at} what={t('delivered', { webhook: entry.webhook.name, status: entry.status })}>
          {entry.reason ? <Typography variant="body2">{entry.reason}</Typography> : null}
        </Line>
      );
  }
}

const nameOf = (actor: ActorSeen | null, t: T): string =>
  actor === null ? t('nobody') : (actor.name ?? actor.id ?? (actor.kind === 'system' ? t('system') : actor.kind));

interface LineProps {
  readonly at: string;
  readonly who?: string | undefined;
  readonly what: string;
  readonly children?: ReactNode;
}

function Line({ at, who, what, children }: LineProps): ReactElement {
  return (
    <Box component="li" sx={{ borderLeft: 2, borderColor: 'divider', pl: 2, pb: 2, overflowWrap: 'anywhere' }}>
      <Typography variant="body2">
        {who === undefined ? null : <strong>{who} </strong>}
        {what}
        <Box component="span" sx={{ color: 'text.secondary' }}>
          {' · '}
          <Time at={at} as="ago" />
        </Box>
      </Typography>
      {children}
    </Box>
  );
}

interface ChangedProps {
  readonly entry: ChangeEntry;
  readonly path: string;
  readonly entity: DiscoveredEntity;
}

const ACTIONS: Readonly<Record<string, 'created' | 'updated' | 'deleted' | 'restored'>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  restore: 'restored',
};

function Changed({ entry, path, entity }: ChangedProps): ReactElement {
  const t = useWords(RECORD);
  const send = useSend();
  const [isAsking, setAsking] = useState(false);
  const isUpdate = entry.action === 'update';
  const fields = chosenChanges(entry.changes);
  const labels = fields.map(([name]) => labelOf(entity, name));
  return (
    <Line at={entry.at} who={nameOf(entry.actor, t)} what={t(ACTIONS[entry.action] ?? 'updated')}>
      {isUpdate ? <FieldChanges entity={entity} changes={entry.changes} /> : null}
      {isUpdate && entity.permissions.update && fields.length > 0 ? (
        <Button size="small" onClick={() => setAsking(true)} sx={{ ml: -1 }}>
          {t('put_back')}
        </Button>
      ) : null}
      {isAsking ? (
        <Confirm
          title={t('put_back_title')}
          action={t('put_back')}
          onConfirm={() => send('POST', `${path}/_history/${encodeURIComponent(entry.id)}/revert`)}
          onClose={() => setAsking(false)}
        >
          {t('put_back_help', { fields: labels.join(', ') })}
        </Confirm>
      ) : null}
    </Line>
  );
}
