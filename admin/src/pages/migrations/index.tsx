import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { NotFound } from '../../shell/NotFound.tsx';
import { MigrationList } from './MigrationList.tsx';
import { OneMigration } from './OneMigration.tsx';

/** `_migrations?status=paused`, `_migrations/:id`; an id or the version that it leads to. */
export default function Migrations(): ReactElement {
  return (
    <Routes>
      <Route index element={<MigrationList />} />
      <Route path=":id" element={<OneMigration />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
