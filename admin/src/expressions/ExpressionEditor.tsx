/** Loaded by `Expression.tsx`: the editor, coloured, completed and judged at each stroke by the code that will run the expression. */
import { hoverTooltip } from '@codemirror/view';
import { Box } from '@mui/material';
import { useEffect, useId, useMemo, useRef, type ReactElement } from 'react';
import type { ExpressionScope } from '../../../core/expression/expression.ts';
import { useLocale, type Locale } from '../i18n/locale.ts';
import { useWords } from '../i18n/words.ts';
import CodeEditor from '../ui/CodeEditor.tsx';
import { evaluate, judge, type Judged } from './check.ts';
import { completionOf } from './complete.ts';
import { helpFor } from './functions.ts';
import { expressionLanguage } from './language.ts';
import type { Scope } from './scope.ts';
import { EXPRESSION } from './words.ts';

export interface ExpressionEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly scope: Scope;
  /** The values to work it out for as it is typed. */
  readonly sample?: ExpressionScope | undefined;
  /** What being true means here: "violated", "allowed". */
  readonly truth?: { readonly yes: string; readonly no: string };
  readonly placeholder?: string;
}

export default function ExpressionEditor({
  label,
  value,
  onChange,
  scope,
  sample,
  truth,
  placeholder,
}: ExpressionEditorProps): ReactElement {
  const t = useWords(EXPRESSION);
  const locale = useLocale();
  const id = useId();
  const latest = useRef(scope);
  useEffect(() => {
    latest.current = scope;
  });
  const judged = useMemo(() => judge(value, scope, t), [value, scope, t]);
  const completion = useMemo(() => completionOf(() => latest.current, locale, t), [locale, t]);
  const extensions = useMemo(() => [expressionLanguage(), functionHints(locale)], [locale]);
  return (
    // How to be helped is said where one writes, not beneath every expression of a form.
    <Box sx={{ '& .expression-help': { visibility: 'hidden' }, '&:focus-within .expression-help': { visibility: 'visible' } }}>
      <CodeEditor
        label={label}
        value={value}
        onChange={onChange}
        language="text"
        isSmall
        minHeight={44}
        maxHeight={220}
        diagnostics={judged.troubles}
        completion={completion}
        extensions={extensions}
        describedBy={id}
        {...(placeholder === undefined ? {} : { placeholder })}
      />
      <Box id={id} sx={{ minHeight: 20, mt: 0.5, fontSize: 12, color: 'text.secondary' }}>
        <Verdict judged={judged} sample={sample} truth={truth} isEmpty={value.trim() === ''} />
      </Box>
    </Box>
  );
}

interface VerdictProps extends Pick<ExpressionEditorProps, 'sample' | 'truth'> {
  readonly judged: Judged;
  readonly isEmpty: boolean;
}

/** The first trouble, or what it comes to for the sample; told to readers of the screen when they pause. */
function Verdict({ judged, sample, truth, isEmpty }: VerdictProps): ReactElement {
  const t = useWords(EXPRESSION);
  const [trouble] = judged.troubles;
  const evaluated = useMemo(
    () => (judged.compiled === undefined || sample === undefined ? undefined : evaluate(judged.compiled, sample)),
    [judged, sample],
  );
  if (trouble !== undefined) {
    return (
      <Box role="status" sx={{ color: trouble.severity === 'error' ? 'error.main' : 'warning.main' }}>
        {trouble.message}
      </Box>
    );
  }
  if (isEmpty || evaluated === undefined) return <span className="expression-help">{t('help')}</span>;
  if (evaluated.kind === 'server') return <span>{t('on_server')}</span>;
  if (evaluated.kind === 'error') return <Box sx={{ color: 'error.main' }}>{t('fails', { message: evaluated.message })}</Box>;
  const yes = truth?.yes ?? t('is_true');
  const no = truth?.no ?? t('is_false');
  return (
    <span role="status">
      {t('value')}: <code>{shown(evaluated.value)}</code>
      {truth === undefined ? '' : ` · ${evaluated.isTrue ? yes : no}`}
    </span>
  );
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
};

/** Signature and sentence of the function under the pointer. */
const functionHints = (locale: Locale) =>
  hoverTooltip((view, position) => {
    const { from, to, text } = view.state.doc.lineAt(position);
    let start = position;
    let end = position;
    while (start > from && /[\w$]/.test(text.charAt(start - from - 1))) start--;
    while (end < to && /[\w$]/.test(text.charAt(end - from))) end++;
    const help = helpFor(text.slice(start - from, end - from).replace('$', ''));
    if (help === undefined) return null;
    return {
      pos: start,
      end,
      above: true,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'cm-function-hint';
        const signature = dom.appendChild(document.createElement('code'));
        signature.textContent = help.signature;
        dom.appendChild(document.createElement('div')).textContent = help.says[locale];
        return { dom };
      },
    };
  });
