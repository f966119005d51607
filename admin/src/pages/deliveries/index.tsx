/** Deliveries to webhooks: found by filters, replayed one by one or many, and each with its request, answers and attempts. */
import type { ReactElement } from 'react';
import { Route, Routes } from 'react-router-dom';
import { DeliveryList } from './DeliveryList.tsx';
import { DeliveryPage } from './DeliveryPage.tsx';

export default function Deliveries(): ReactElement {
  return (
    <Routes>
      <Route index element={<DeliveryList />} />
      <Route path=":id" element={<DeliveryPage />} />
    </Routes>
  );
}
