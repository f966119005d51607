/** SLAs and calendars: the lists with what falls due, and each as a form; an SLA is tried on a stored record beside it. */
import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { CalendarEditor } from './CalendarEditor.tsx';
import { SlaEditor } from './SlaEditor.tsx';
import { SlaList } from './SlaList.tsx';

export default function Slas(): ReactElement {
  return (
    <Routes>
      <Route index element={<SlaList />} />
      <Route path="new" element={<SlaEditor />} />
      <Route path="calendars/new" element={<CalendarEditor />} />
      <Route path="calendars/:id" element={<CalendarEditor />} />
      <Route path=":id" element={<SlaEditor />} />
    </Routes>
  );
}
