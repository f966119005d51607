/** How code looks in both appearances, and how its styles get past the page's policy. Loaded with the editors only. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export type CodeLanguage = 'yaml' | 'json' | 'sql' | 'text';

/** Each is loaded with the first text in it. */
export const LANGUAGES: Readonly<Record<CodeLanguage, () => Promise<Extension>>> = {
  yaml: async () => (await import('@codemirror/lang-yaml')).yaml(),
  json: async () => (await import('@codemirror/lang-json')).json(),
  sql: async () => (await import('@codemirror/lang-sql')).sql(),
  text: () => Promise.resolve([]),
};

/** The library's own greens and oranges are too pale on white. */
const lightHighlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool, tags.null], color: '#6a1b9a' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: '#1a4bb5' },
  { tag: [tags.string, tags.special(tags.string)], color: '#1b6b3a' },
  { tag: [tags.number, tags.atom], color: '#8a4b00' },
  { tag: [tags.typeName], color: '#00695c' },
  { tag: [tags.comment, tags.meta], color: '#5b6675', fontStyle: 'italic' },
  { tag: tags.invalid, color: '#b3261e' },
]);

const darkHighlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool, tags.null], color: '#c792ea' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: '#8ab4ff' },
  { tag: [tags.string, tags.special(tags.string)], color: '#a5d6a7' },
  { tag: [tags.number, tags.atom], color: '#ffb86c' },
  { tag: [tags.typeName], color: '#80cbc4' },
  { tag: [tags.comment, tags.meta], color: '#9aa5b4', fontStyle: 'italic' },
  { tag: tags.invalid, color: '#ff8a80' },
]);

export const look = (isDark: boolean): Extension => [
  EditorView.theme(
    {
      '&': { fontSize: '12.5px', backgroundColor: 'transparent', height: '100%' },
      '.cm-content, .cm-gutters': { fontFamily: '"JetBrains Mono", ui-monospace, SFMono-Regular, Menlo, monospace' },
      '.cm-gutters': { backgroundColor: 'transparent', border: 'none', color: isDark ? '#9aa5b4' : '#5b6675' },
      '.cm-activeLine': { backgroundColor: isDark ? 'rgba(138,180,255,.08)' : 'rgba(47,91,234,.06)' },
      '.cm-tooltip': { backgroundColor: isDark ? '#171b21' : '#fff', color: 'inherit', border: '1px solid rgba(128,128,128,.4)' },
      '&.cm-focused': { outline: 'none' },
    },
    { dark: isDark },
  ),
  syntaxHighlighting(isDark ? darkHighlight : lightHighlight),
];

export const nonceOf = (): string => document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
