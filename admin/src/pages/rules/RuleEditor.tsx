/** One rule: its form, and beside it what it and all the others say about a record of one's choice, before it is published. */
import { Alert, Box } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { useParams, useSearchParams } from 'react-router-dom';
import { DefinitionForm } from '../../definitions/DefinitionForm.tsx';
import { useDefinitions, type DefinitionList, type Listed } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { useExpressionScope, useSample } from '../../trial/sample.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { bodyOf, draftOf, emptyDraft, isWhole, sentenceOf, type Rule } from './rule.ts';
import { RuleForm } from './RuleForm.tsx';
import { TryPanel } from './TryPanel.tsx';
import { RULES } from './words.ts';

export function RuleEditor(): ReactElement {
  const t = useWords(RULES);
  const { id } = useParams();
  const rules = useDefinitions<Rule>('rules');
  const stored = rules.data?.data.find((rule) => rule.id === id);
  return (
    <Page title={t(id === undefined ? 'new' : 'edit')}>
      <Problem error={rules.error} onRetry={() => void rules.refetch()} />
      {rules.isPending ? <Loading lines={8} /> : null}
      {rules.data === undefined ? null : id !== undefined && stored === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <Editor key={id} stored={stored} version={rules.data.meta.schema_version} />
      )}
    </Page>
  );
}

interface EditorProps {
  readonly stored: Listed<Rule> | undefined;
  readonly version: DefinitionList<Rule>['meta']['schema_version'];
}

function Editor({ stored, version }: EditorProps): ReactElement {
  const t = useWords(RULES);
  const discovery = useDiscovery();
  const reload = useReload();
  const [search] = useSearchParams();
  const [draft, setDraft] = useState(() =>
    stored === undefined ? emptyDraft(search.get('entity') ?? discovery.entities[0]?.name ?? '') : draftOf(stored),
  );
  const entity = entityNamed(discovery, draft.entity);
  const [sample, setSample] = useSample();
  const scope = useExpressionScope(entity, sample, discovery);
  const base = `/t/${discovery.app.name}/_rules`;
  const drafts = useMemo(
    () => (isWhole(draft) ? [{ ...bodyOf(draft), ...(draft.id === undefined ? {} : { id: draft.id }) }] : undefined),
    [draft],
  );
  const reloadForms = async (): Promise<void> => {
    // What is computed is not offered in forms.
    if (draft.type === 'computed' || stored?.type === 'computed') await reload();
  };
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        alignItems: 'start',
      }}
    >
      <DefinitionForm
        section="rules"
        stored={stored}
        version={version}
        body={bodyOf(draft)}
        label={t(stored === undefined ? 'new' : 'edit')}
        save={t('save')}
        cancel={t('cancel')}
        from={base}
        savedTo={`${base}?entity=${draft.entity}`}
        onSaved={reloadForms}
      >
        {(error) => <RuleForm draft={draft} onChange={setDraft} sample={scope} error={error} isNew={stored === undefined} />}
      </DefinitionForm>
      {entity === undefined ? null : (
        <TryPanel
          key={entity.name}
          entity={entity}
          sample={sample}
          onSample={setSample}
          drafts={drafts}
          {...(drafts === undefined ? {} : { draftSays: sentenceOf(bodyOf(draft) as unknown as Rule, t) })}
        />
      )}
    </Box>
  );
}
