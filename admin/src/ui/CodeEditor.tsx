/** CodeMirror as a React input. Import it lazily (`lazy(() => import('../ui/CodeEditor.tsx'))`): it is half the weight of the first page. */
import { autocompletion, closeBrackets, completionKeymap, type CompletionSource } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder as placeholderOf } from '@codemirror/view';
import { Box } from '@mui/material';
import { useEffect, useRef, type ReactElement } from 'react';
import { useIsDark } from '../shell/appearance.ts';
import { LANGUAGES, look, nonceOf, type CodeLanguage } from './code-look.ts';

export type { CompletionSource, Diagnostic };
export type { CodeLanguage } from './code-look.ts';

interface CodeEditorProps {
  readonly value: string;
  readonly onChange?: (value: string) => void;
  readonly language: CodeLanguage;
  /** The editor's name for those who do not see it. */
  readonly label: string;
  readonly isReadOnly?: boolean;
  /** Shown at their places, and in the gutter. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly completion?: CompletionSource;
  readonly minHeight?: number | string;
  readonly maxHeight?: number | string;
  readonly placeholder?: string;
  /** Without line numbers and folding, for one expression. */
  readonly isSmall?: boolean;
  /** The view itself, for who moves the cursor or scrolls to a place. */
  readonly onReady?: (view: EditorView) => void;
  /** A language of one's own, hints on hover: taken when the editor is made. */
  readonly extensions?: Extension;
  /** The id of what is said about the text beneath it. */
  readonly describedBy?: string;
}

export default function CodeEditor(props: CodeEditorProps): ReactElement {
  const { value, language, label, isReadOnly = false, diagnostics, minHeight = 120, maxHeight = '60vh', isSmall = false } = props;
  const isDark = useIsDark();
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const appearance = useRef(new Compartment());
  const grammar = useRef(new Compartment());

  useEffect(() => {
    if (host.current === null) return;
    const { placeholder, completion, extensions = [], describedBy } = latest.current;
    const described: Readonly<Record<string, string>> = describedBy === undefined ? {} : { 'aria-describedby': describedBy };
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          EditorView.cspNonce.of(nonceOf()),
          isSmall ? [] : [lineNumbers(), foldGutter(), lintGutter(), highlightActiveLine()],
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          highlightSelectionMatches(),
          EditorView.lineWrapping,
          // Tab leaves the editor, as everywhere on the page; indenting is Ctrl-] and Ctrl-[.
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...lintKeymap, ...completionKeymap]),
          grammar.current.of([]),
          extensions,
          autocompletion(completion === undefined ? {} : { override: [(context) => latest.current.completion?.(context) ?? null] }),
          placeholder === undefined ? [] : placeholderOf(placeholder),
          appearance.current.of(look(false)),
          EditorState.readOnly.of(isReadOnly),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', ...described }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    let isOpen = true;
    void LANGUAGES[language]().then((loaded) => {
      if (isOpen) editor.dispatch({ effects: grammar.current.reconfigure(loaded) });
    });
    latest.current.onReady?.(editor);
    return () => {
      isOpen = false;
      editor.destroy();
    };
  }, [language, isReadOnly, isSmall, label]);

  useEffect(() => {
    view.current?.dispatch({ effects: appearance.current.reconfigure(look(isDark)) });
  }, [isDark, language, isReadOnly, isSmall, label]);

  // A value from outside replaces the text; what was typed here is that value already.
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined) return;
    const end = editor.state.doc.length;
    const placed = (diagnostics ?? []).map((one) => ({ ...one, from: Math.min(one.from, end), to: Math.min(one.to, end) }));
    editor.dispatch(setDiagnostics(editor.state, placed));
  }, [diagnostics, value, language]);

  return (
    <Box
      ref={host}
      sx={{
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        bgcolor: 'background.paper',
        '&:focus-within': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: -1 },
        '& .cm-scroller': { minHeight, maxHeight, overflow: 'auto' },
      }}
    />
  );
}
