/** Webhooks with the health of their endpoints, and each as a form; secrets that headers name. */
import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { WebhookEditor } from './WebhookEditor.tsx';
import { WebhookList } from './WebhookList.tsx';

export default function Webhooks(): ReactElement {
  return (
    <Routes>
      <Route index element={<WebhookList />} />
      <Route path="new" element={<WebhookEditor />} />
      <Route path=":id" element={<WebhookEditor />} />
    </Routes>
  );
}
