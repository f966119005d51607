/** State machines: the list, a new one, and one with its diagram, tables, counts and the way of a record. */
import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { MachineList } from './MachineList.tsx';
import { MachinePage } from './MachinePage.tsx';

export default function Machines(): ReactElement {
  return (
    <Routes>
      <Route index element={<MachineList />} />
      <Route path=":id" element={<MachinePage />} />
    </Routes>
  );
}
