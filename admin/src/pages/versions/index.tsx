import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { NotFound } from '../../shell/NotFound.tsx';
import { CompareVersions } from './CompareVersions.tsx';
import { GoToVersion } from './GoToVersion.tsx';
import { OneVersion } from './OneVersion.tsx';
import { VersionList } from './VersionList.tsx';

/** `_versions`, `_versions/:n`, `_versions/:n/rollback`, `_versions/compare?from=1&to=3`. */
export default function Versions(): ReactElement {
  return (
    <Routes>
      <Route index element={<VersionList />} />
      <Route path="compare" element={<CompareVersions />} />
      <Route path=":version" element={<OneVersion />} />
      <Route path=":version/rollback" element={<GoToVersion />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  );
}
