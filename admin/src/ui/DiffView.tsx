/** Two texts, what differs marked: side by side, or in one column where there is no room. Import it lazily, like the editor. */
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { Box, useMediaQuery, type Theme } from '@mui/material';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useIsDark } from '../shell/appearance.ts';
import { LANGUAGES, look, nonceOf, type CodeLanguage } from './code-look.ts';

interface DiffViewProps {
  readonly before: string;
  readonly after: string;
  readonly language: CodeLanguage;
  /** What is compared, for those who do not see it. */
  readonly label: string;
  readonly maxHeight?: number | string;
}

/** Equal lines beyond these around a difference are folded; a click shows them. */
const COLLAPSED = { margin: 3, minSize: 8 };

export default function DiffView({ before, after, language, label, maxHeight = '65vh' }: DiffViewProps): ReactElement {
  const isDark = useIsDark();
  const isNarrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('md'));
  const host = useRef<HTMLDivElement>(null);
  const [grammar, setGrammar] = useState<Extension>([]);
  useEffect(() => {
    let isWanted = true;
    void LANGUAGES[language]().then((loaded) => (isWanted ? setGrammar(loaded) : undefined));
    return () => void (isWanted = false);
  }, [language]);
  useEffect(() => {
    if (host.current === null) return;
    const parent = host.current;
    const common = (name: string): Extension => [
      EditorView.cspNonce.of(nonceOf()),
      lineNumbers(),
      EditorView.lineWrapping,
      grammar,
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
      EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0' }),
      look(isDark),
    ];
    if (isNarrow) {
      const unified = unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: COLLAPSED });
      const view = new EditorView({ parent, doc: after, extensions: [common(label), unified] });
      return () => view.destroy();
    }
    const view = new MergeView({
      parent,
      a: { doc: before, extensions: common(`${label}: −`) },
      b: { doc: after, extensions: common(`${label}: +`) },
      collapseUnchanged: COLLAPSED,
      gutter: true,
    });
    return () => view.destroy();
  }, [before, after, grammar, label, isDark, isNarrow]);
  return (
    <Box
      ref={host}
      sx={{
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        bgcolor: 'background.paper',
        maxHeight,
        overflow: 'auto',
        '& .cm-deletedChunk, & .cm-mergeView .cm-merge-a .cm-changedLine': { bgcolor: isDark ? '#4a1f22' : '#fbe9e7' },
        '& .cm-collapsedLines': { bgcolor: 'action.hover', color: 'text.secondary', backgroundImage: 'none' },
      }}
    />
  );
}
