import { Typography } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { PlanReview } from '../../plan/PlanReview.tsx';
import { UI } from '../../ui/words.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Standing } from './VersionList.tsx';
import { useVersionPaths, useVersions } from './use-versions.ts';
import { VERSIONS } from './words.ts';

/** Back to an older version (an owner publishes it again), or to one that the schema an app follows has. */
export function GoToVersion(): ReactElement {
  const t = useWords(VERSIONS);
  const ui = useWords(UI);
  const navigate = useNavigate();
  const { version = '' } = useParams();
  const { pages, api } = useVersionPaths();
  const { data: all, error, refetch } = useVersions();
  const move = useMemo(() => ({ to_version: Number(version) }), [version]);
  const isOwner = all?.meta.is_owner !== false;
  const request = isOwner ? { path: `${api}/versions/${encodeURIComponent(version)}/rollback` } : { path: `${api}/migrations`, body: move };
  return (
    <Page title={t(isOwner ? 'roll_back_title' : 'move_title', { version })}>
      <Problem error={error} onRetry={() => void refetch()} />
      {all === undefined ? (
        <Loading />
      ) : (
        <>
          <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2, maxWidth: '75ch' }}>
            {isOwner ? t('roll_back_told', { version }) : t('move_told', { version, schema: all.meta.schema })}
          </Typography>
          <Standing meta={all.meta} />
          <PlanReview
            {...request}
            action={t(isOwner ? 'roll_back' : 'move')}
            onCancel={() => void navigate(`${pages}/${version}`)}
            cancel={ui('cancel')}
          />
        </>
      )}
    </Page>
  );
}
