/** The pages of the platform, for those who keep it: the same shape as an app's pages (see pages.ts), below `/platform/`. */
import AppsOutlined from '@mui/icons-material/AppsOutlined';
import { lazy, type ComponentType } from 'react';
import type { Locale } from '../i18n/locale.ts';

export interface PlatformPageEntry {
  readonly path: string;
  readonly label: Readonly<Record<Locale, string>>;
  readonly icon: ComponentType;
  readonly component: ComponentType;
}

export const PLATFORM_PAGES: readonly PlatformPageEntry[] = [
  { path: 'apps', label: { en: 'Apps', de: 'Apps' }, icon: AppsOutlined, component: lazy(() => import('../pages/Apps.tsx')) },
];
