/** Workflow definitions: the list, one in the builder, and a run on the diagram of the definition it keeps. */
import { lazy, Suspense, type ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { Loading } from '../../ui/Page.tsx';
import { WorkflowList } from './WorkflowList.tsx';

const WorkflowPage = lazy(() => import('./WorkflowPage.tsx'));
const RunDiagram = lazy(() => import('./RunDiagram.tsx'));

export default function Workflows(): ReactElement {
  return (
    <Suspense fallback={<Loading lines={8} />}>
      <Routes>
        <Route index element={<WorkflowList />} />
        <Route path="new" element={<WorkflowPage />} />
        <Route path="runs/:run" element={<RunDiagram />} />
        <Route path=":id" element={<WorkflowPage />} />
      </Routes>
    </Suspense>
  );
}
