/** Rules of all entities: the list, one rule with its trial beside it, and the trial alone. */
import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { RuleEditor } from './RuleEditor.tsx';
import { RuleList } from './RuleList.tsx';
import { TryPage } from './TryPage.tsx';

export default function Rules(): ReactElement {
  return (
    <Routes>
      <Route index element={<RuleList />} />
      <Route path="new" element={<RuleEditor />} />
      <Route path="try/:entity" element={<TryPage />} />
      <Route path=":id" element={<RuleEditor />} />
    </Routes>
  );
}
