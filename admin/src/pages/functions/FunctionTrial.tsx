/** The function with its parameters on a sample, as `_admin/functions/try` answers. */
import { Alert, Divider, Paper, Typography } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { appPath, useAsk, useRested } from '../../api/use-api.ts';
import { Refused } from '../../definitions/Refused.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { SampleEditor } from '../../trial/SampleEditor.tsx';
import { useSample } from '../../trial/sample.ts';
import { Code } from '../../ui/Code.tsx';
import { paramsOf, type AttachmentDraft } from './attachment.ts';
import { FUNCTIONS } from './words.ts';

interface Tried {
  readonly result: unknown;
  readonly error: { readonly kind: string; readonly message: string } | null;
  readonly would_run_with: unknown;
  readonly ms: number;
}

export function FunctionTrial({ draft }: { readonly draft: AttachmentDraft }): ReactElement | null {
  const t = useWords(FUNCTIONS);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, draft.entity);
  const [sample, setSample] = useSample();
  const question = useMemo(() => {
    const given = { record: sample.record, ...(sample.old === null ? {} : { old: sample.old }) };
    if (draft.isScript) return draft.script.trim() === '' ? undefined : { script: draft.script, ...given };
    if (draft.function === '') return undefined;
    const own = paramsOf(draft);
    // What it is about is its value, unless the parameters say another.
    const params = draft.field === '' || 'value' in own ? own : { value: `record.${draft.field}`, ...own };
    return { function: draft.function, params, ...given };
  }, [draft, sample]);
  const tried = useAsk<{ readonly data: Tried }>(`${appPath(discovery.app.name)}/_admin/functions/try`, useRested(question));
  if (entity === undefined) return null;
  return (
    <Paper variant="outlined" component="section" aria-label={t('try')} sx={{ p: 2, minWidth: 0 }}>
      <Typography component="h2" variant="h6">
        {t('try')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
        {t('try_says')}
      </Typography>
      <SampleEditor entity={entity} sample={sample} onChange={setSample} />
      <Divider sx={{ my: 2 }} />
      {question === undefined ? <Alert severity="info">{t('try_first')}</Alert> : null}
      {question === undefined ? null : tried.error !== null ? (
        <Refused error={tried.error} />
      ) : tried.data === undefined ? null : (
        <Outcome {...tried.data.data} />
      )}
    </Paper>
  );
}

function Outcome({ result, error, would_run_with: described, ms }: Tried): ReactElement {
  const t = useWords(FUNCTIONS);
  if (error !== null) return <Alert severity="error">{t('try_refused', { message: error.message })}</Alert>;
  const isDescribed = described !== null && described !== undefined;
  const label = t(isDescribed ? 'try_described' : 'try_result');
  return (
    <div role="status">
      <Typography component="h3" variant="body2" sx={{ fontWeight: 600, mb: 0.5 }}>
        {label} <span>({t('try_ms', { ms })})</span>
      </Typography>
      <Code label={label} text={JSON.stringify(isDescribed ? described : result, null, 2) ?? 'null'} />
    </div>
  );
}
