import { useMemo, type ReactElement } from 'react';
import DiffView from '../../ui/DiffView.tsx';
import { documentText } from './document-text.ts';

interface DocumentDiffProps {
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
  readonly label: string;
}

export default function DocumentDiff({ before, after, label }: DocumentDiffProps): ReactElement {
  const [old, now] = useMemo(() => [textOf(before), textOf(after)], [before, after]);
  return <DiffView before={old} after={now} language="yaml" label={label} />;
}

const textOf = (document: Readonly<Record<string, unknown>>): string =>
  Object.keys(document).length === 0 ? '' : documentText(document, 'yaml');
