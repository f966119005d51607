import type { ReactElement } from 'react';
import { Impact } from '../../document/Impact.tsx';
import { useDraft } from './draft.ts';
import { answered } from './model/edits.ts';

/** What publishing the draft would do; an answer to a question goes into the draft. */
export default function DraftImpact(): ReactElement {
  const { dryRun, edit } = useDraft();
  return <Impact dryRun={dryRun} onAnswer={(instruction) => edit((document) => answered(document, instruction))} />;
}
