/** The pages of the platform, for those who keep it: the same shape as an app's pages (see pages.ts), below `/platform/`. */
import AccountCircleOutlined from '@mui/icons-material/AccountCircleOutlined';
import AppsOutlined from '@mui/icons-material/AppsOutlined';
import MonitorHeartOutlined from '@mui/icons-material/MonitorHeartOutlined';
import RocketLaunchOutlined from '@mui/icons-material/RocketLaunchOutlined';
import SchemaOutlined from '@mui/icons-material/SchemaOutlined';
import TimelineOutlined from '@mui/icons-material/TimelineOutlined';
import { lazy, type ComponentType } from 'react';
import type { Locale } from '../i18n/locale.ts';

export interface PlatformPageEntry {
  readonly path: string;
  readonly label: Readonly<Record<Locale, string>>;
  readonly icon: ComponentType;
  readonly component: ComponentType;
}

export const PLATFORM_PAGES: readonly PlatformPageEntry[] = [
  { path: 'apps/*', label: { en: 'Apps', de: 'Apps' }, icon: AppsOutlined, component: lazy(() => import('../pages/apps/index.tsx')) },
  {
    path: 'schemas',
    label: { en: 'Schemas', de: 'Schemas' },
    icon: SchemaOutlined,
    component: lazy(() => import('../pages/schemas/index.tsx')),
  },
  {
    path: 'rollouts/*',
    label: { en: 'Rollouts', de: 'Rollouts' },
    icon: RocketLaunchOutlined,
    component: lazy(() => import('../pages/rollouts/index.tsx')),
  },
  {
    path: 'status',
    label: { en: 'Status', de: 'Status' },
    icon: MonitorHeartOutlined,
    component: lazy(() => import('../pages/status/index.tsx')),
  },
  {
    path: 'temporal',
    label: { en: 'Temporal', de: 'Temporal' },
    icon: TimelineOutlined,
    component: lazy(() => import('../pages/temporal/index.tsx')),
  },
  {
    path: 'account',
    label: { en: 'Your account', de: 'Ihr Konto' },
    icon: AccountCircleOutlined,
    component: lazy(() => import('../pages/account/index.tsx')),
  },
];
