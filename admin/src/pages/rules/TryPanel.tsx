/** What every rule, computed field and machine of an entity says about the sample, with drafts among them; as `_admin/rules/try` judges. */
import { Alert, Box, Divider, Paper, Typography } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { appPath, useAsk, useRested } from '../../api/use-api.ts';
import { useDefinitions } from '../../definitions/definitions.ts';
import { Refused } from '../../definitions/Refused.tsx';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { SampleEditor } from '../../trial/SampleEditor.tsx';
import { actionOf, payloadOf, type Row, type Sample } from '../../trial/sample.ts';
import { Rows } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { sentenceOf, type Rule } from './rule.ts';
import { RULES } from './words.ts';

interface Outcome {
  readonly rule: string;
  readonly outcome: 'passed' | 'violated' | 'skipped' | 'error';
  readonly message: string | null;
  readonly field?: string;
  readonly id?: string;
  readonly name?: string;
  readonly is_draft?: boolean;
}

interface Tried {
  readonly valid: boolean;
  readonly computed: Row;
  readonly results: readonly Outcome[];
}

interface TryPanelProps {
  readonly entity: DiscoveredEntity;
  readonly sample: Sample;
  readonly onSample: (sample: Sample) => void;
  /** Undefined while the draft is not whole. */
  readonly drafts: readonly object[] | undefined;
  /** The draft in a sentence. */
  readonly draftSays?: string;
}

export function TryPanel({ entity, sample, onSample, drafts, draftSays }: TryPanelProps): ReactElement {
  const t = useWords(RULES);
  const { app } = useDiscovery();
  const question = useMemo(
    () =>
      drafts === undefined
        ? undefined
        : {
            entity: entity.name,
            action: actionOf(sample),
            record: payloadOf(entity, sample),
            ...(sample.old === null ? {} : { old: sample.old }),
            ...(sample.roles.length === 0 ? {} : { as: { roles: sample.roles } }),
            drafts,
          },
    [entity, sample, drafts],
  );
  const tried = useAsk<{ readonly data: Tried }>(`${appPath(app.name)}/_admin/rules/try`, useRested(question));
  return (
    <Paper variant="outlined" component="section" aria-label={t('try')} sx={{ p: 2, minWidth: 0 }}>
      <Typography component="h2" variant="h6">
        {t('try')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
        {t('try_says', { entity: entity.label })}
      </Typography>
      <SampleEditor entity={entity} sample={sample} onChange={onSample} />
      <Divider sx={{ my: 2 }} />
      {question === undefined ? <Alert severity="info">{t('fill_first')}</Alert> : null}
      {question === undefined ? null : tried.error !== null ? <Refused error={tried.error} /> : null}
      {question === undefined || tried.data === undefined || tried.error !== null ? null : (
        <Outcomes tried={tried.data.data} draftSays={draftSays} />
      )}
    </Paper>
  );
}

interface OutcomesProps {
  readonly tried: Tried;
  readonly draftSays: string | undefined;
}

function Outcomes({ tried: { valid, computed, results }, draftSays }: OutcomesProps): ReactElement {
  const t = useWords(RULES);
  const stored = useDefinitions<Rule>('rules');
  const wrong = results.filter(({ outcome }) => outcome === 'violated' || outcome === 'error').length;
  // Checks of fields that passed say nothing one would look for.
  const told = results.filter(({ rule, outcome, id }) => outcome !== 'passed' || id !== undefined || !['type', 'required'].includes(rule));
  const nameOf = ({ id, name, rule, is_draft: isDraft }: Outcome): string => {
    if (isDraft === true && draftSays !== undefined) return draftSays;
    const definition = stored.data?.data.find((each) => each.id === id);
    if (name !== undefined) return name;
    return definition === undefined ? (id === undefined ? t('own_checks', { rule }) : rule) : sentenceOf(definition, t);
  };
  return (
    <>
      <Alert role="status" severity={valid ? 'success' : 'error'} sx={{ mb: 1.5 }}>
        {valid ? t('would_pass') : t('would_fail', wrong)}
      </Alert>
      <Rows<Outcome & { readonly key: number }>
        label={t('outcomes')}
        rows={told.map((outcome, key) => ({ ...outcome, key }))}
        keyOf={({ key }) => key}
        columns={[
          { key: 'outcome', label: t('outcome'), width: 120, cell: ({ outcome }) => <Word outcome={outcome} /> },
          {
            key: 'rule',
            label: t('rule'),
            cell: (outcome) => (
              <>
                {nameOf(outcome)} {outcome.is_draft === true ? <Status tone="info" label={t('draft')} /> : null}
                {outcome.field === undefined ? null : (
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {outcome.field}
                  </Typography>
                )}
              </>
            ),
          },
          { key: 'message', label: t('message'), cell: ({ message }) => message ?? '–' },
        ]}
      />
      {Object.keys(computed).length === 0 ? null : (
        <Box sx={{ mt: 1.5 }}>
          <Typography component="h3" variant="body2" sx={{ fontWeight: 600 }}>
            {t('computed_values')}
          </Typography>
          {Object.entries(computed).map(([name, value]) => (
            <Typography key={name} variant="body2" sx={{ fontFamily: 'monospace' }}>
              {name} = {JSON.stringify(value)}
            </Typography>
          ))}
        </Box>
      )}
    </>
  );
}

const TONES: Readonly<Record<Outcome['outcome'], Tone>> = { passed: 'done', violated: 'failed', skipped: 'off', error: 'warning' };

function Word({ outcome }: { readonly outcome: Outcome['outcome'] }): ReactElement {
  const t = useWords(RULES);
  return <Status tone={TONES[outcome]} label={t(outcome === 'violated' ? 'violated_word' : outcome)} />;
}
