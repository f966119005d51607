/** The draft as text. What is typed is read at once and judged by the server a moment later; what it says elsewhere follows. */
import { Alert, Box, Button, Link, Stack, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { convertText, formatText, readText, textOf, writeText, type Format } from '../../../document/text.ts';
import { useWords } from '../../../i18n/words.ts';
import type { CompletionSource } from '../../../ui/CodeEditor.tsx';
import { Confirm } from '../../../ui/Confirm.tsx';
import { Loading } from '../../../ui/Page.tsx';
import { Status } from '../../../ui/Status.tsx';
import { useDraft } from '../draft.ts';
import { useMeta } from '../use-meta.ts';
import { SCHEMA } from '../words.ts';
import { entityAround, proposals } from './complete.ts';
import { contextAt } from './context.ts';
import { ofJudgement, ofMistakes, type Diagnosis } from './diagnose.ts';

const CodeEditor = lazy(() => import('../../../ui/CodeEditor.tsx'));

const PAUSE_MS = 200;

interface View {
  focus(): void;
  dispatch(spec: { readonly selection: { readonly anchor: number }; readonly scrollIntoView: boolean }): void;
}

export default function Code(): ReactElement | null {
  const t = useWords(SCHEMA);
  const { draft } = useDraft();
  const text = useText();
  const diagnoses = useDiagnoses(text.value ?? '');
  const completion = useCompletion(draft.format);
  const view = useRef<View | undefined>(undefined);
  if (text.value === undefined) return null;
  const go = (at: number): void => {
    view.current?.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    view.current?.focus();
  };
  return (
    <Stack spacing={1} sx={{ minHeight: 0, minWidth: 0, overflow: 'hidden' }}>
      <Tools diagnoses={diagnoses} onText={text.replace} />
      <Suspense fallback={<Loading lines={12} />}>
        <CodeEditor
          key={draft.format}
          value={text.value}
          onChange={text.type}
          language={draft.format}
          label={t('code_label')}
          diagnostics={diagnoses}
          completion={completion}
          minHeight="50vh"
          maxHeight="calc(100vh - 300px)"
          onReady={(ready) => {
            view.current = ready;
          }}
        />
      </Suspense>
      <Problems diagnoses={diagnoses} text={text.value} onGo={go} />
    </Stack>
  );
}

interface Text {
  readonly value: string | undefined;
  type(text: string): void;
  replace(text: string, format: Format): void;
}

/** The text of the draft, made where it is not there yet; what is typed goes into the draft a moment later, and when one leaves. */
function useText(): Text {
  const { draft, dispatch } = useDraft();
  const { document, text, isTextStale, format } = draft;
  const [local, setLocal] = useState(text);
  const pending = useRef<string | undefined>(undefined);
  const isStale = isTextStale || text === undefined;
  useEffect(() => {
    if (isStale) dispatch({ kind: 'write', text: text === undefined ? textOf(document, format) : writeText(text, format, document) });
    else if (pending.current === undefined) setLocal(text);
  }, [isStale, text, document, format, dispatch]);
  const flush = useCallback(() => {
    const typed = pending.current;
    if (typed === undefined) return;
    pending.current = undefined;
    dispatch({ kind: 'type', text: typed, ...readText(typed, format), at: Date.now() });
  }, [dispatch, format]);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      flush();
    },
    [flush],
  );
  return {
    value: isStale ? undefined : local,
    type: (typed) => {
      if (typed === (pending.current ?? draft.text)) return;
      pending.current = typed;
      setLocal(typed);
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, PAUSE_MS);
    },
    replace: (next, to) => {
      pending.current = undefined;
      setLocal(next);
      dispatch({ kind: 'format', text: next, format: to });
    },
  };
}

function useDiagnoses(text: string): readonly Diagnosis[] {
  const { draft, dryRun } = useDraft();
  return useMemo(() => {
    if (draft.mistakes.length > 0) return ofMistakes(draft.mistakes);
    // A judgement of another state of the document would stand at the wrong places.
    if (draft.text !== text || !('document' in dryRun) || dryRun.document !== draft.document) return [];
    if (dryRun.state === 'planned') return ofJudgement(text, draft.document, dryRun.plan);
    const { details = [], hint } = dryRun.error.body?.error ?? {};
    const whole = { message: dryRun.error.message, ...(hint === undefined ? {} : { hint }) };
    return ofJudgement(text, draft.document, { details: details.length === 0 ? [whole] : details });
  }, [draft, dryRun, text]);
}

function useCompletion(format: Format): CompletionSource {
  const { draft } = useDraft();
  const meta = useMeta();
  const latest = useRef({ document: draft.document, meta });
  useEffect(() => {
    latest.current = { document: draft.document, meta };
  });
  return useCallback(
    ({ state, pos, explicit }) => {
      const { meta: known, document } = latest.current;
      const text = state.doc.toString();
      const context = contextAt(text, pos, format);
      if (known === undefined || (!explicit && context.word === '')) return null;
      const options = proposals(known, context, document, entityAround(text, pos)).map(({ label, detail, kind }) => ({
        label: format === 'json' ? JSON.stringify(label) : label,
        type: kind,
        ...(detail === undefined ? {} : { detail }),
        apply: applied(label, context.mode === 'key' && kind === 'property', format),
      }));
      return options.length === 0 ? null : { from: context.from, options };
    },
    [format],
  );
}

/** In JSON words of the schema are quoted; true and false are not. */
const applied = (label: string, isKey: boolean, format: Format): string => {
  const written = format === 'json' && !['true', 'false'].includes(label) ? JSON.stringify(label) : label;
  return isKey ? `${written}: ` : written;
};

function Tools({ diagnoses, onText }: { readonly diagnoses: readonly Diagnosis[]; readonly onText: Text['replace'] }): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, isBroken } = useDraft();
  const [isAsking, setAsking] = useState(false);
  const { format, text = '' } = draft;
  const errors = diagnoses.filter(({ severity }) => severity === 'error').length;
  const switchTo = (to: Format): void => onText(convertText(text, to), to);
  const hasComments = format === 'yaml' && /(^|\s)#/m.test(text);
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={format}
        disabled={isBroken}
        aria-label={t('notation')}
        onChange={(_, to: Format | null) => {
          if (to === null) return;
          if (to === 'json' && hasComments) setAsking(true);
          else switchTo(to);
        }}
      >
        <ToggleButton value="yaml" sx={{ color: 'text.primary' }}>
          {t('yaml')}
        </ToggleButton>
        <ToggleButton value="json" sx={{ color: 'text.primary' }}>
          {t('json')}
        </ToggleButton>
      </ToggleButtonGroup>
      <Button size="small" variant="outlined" disabled={isBroken} onClick={() => onText(formatText(text, format), format)}>
        {t('format')}
      </Button>
      <Box role="status" sx={{ display: 'flex', gap: 1 }}>
        {errors > 0 ? <Status tone="failed" label={t('code_mistakes', errors)} /> : null}
        {diagnoses.length > errors ? <Status tone="warning" label={t('code_findings', diagnoses.length - errors)} /> : null}
        {diagnoses.length === 0 ? <Status tone="done" label={t('code_ok')} /> : null}
      </Box>
      {isAsking ? (
        <Confirm title={t('to_json_title')} action={t('to_json')} onConfirm={async () => switchTo('json')} onClose={() => setAsking(false)}>
          {t('to_json_body')}
        </Confirm>
      ) : null}
    </Stack>
  );
}

const SHOWN = 50;

/** The same below the text, for those who do not see marks in a margin; each leads to its line. */
function Problems({
  diagnoses,
  text,
  onGo,
}: {
  readonly diagnoses: readonly Diagnosis[];
  readonly text: string;
  readonly onGo: (at: number) => void;
}): ReactElement | null {
  const t = useWords(SCHEMA);
  if (diagnoses.length === 0) return null;
  return (
    <Stack component="ul" aria-label={t('problems')} spacing={0.5} sx={{ listStyle: 'none', m: 0, p: 0, maxHeight: 180, overflow: 'auto' }}>
      {diagnoses.slice(0, SHOWN).map((one, index) => (
        <li key={index}>
          <Alert severity={one.severity} sx={{ py: 0 }}>
            <Link component="button" type="button" variant="body2" color="inherit" onClick={() => onGo(one.from)} sx={{ mr: 1 }}>
              {t('at_line', { line: text.slice(0, one.from).split('\n').length })}
            </Link>
            <Typography component="span" variant="body2">
              {one.message}
            </Typography>
          </Alert>
        </li>
      ))}
    </Stack>
  );
}
