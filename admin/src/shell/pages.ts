/**
 * Every page of an app's back office that is not an entity's, once: the menu, the routes, the command palette and the browser suite
 * are made from this list. Pages are loaded when they are opened. Their paths begin with an underscore, which no entity's name does.
 */
import AccountCircleOutlined from '@mui/icons-material/AccountCircleOutlined';
import AccountTreeOutlined from '@mui/icons-material/AccountTreeOutlined';
import EventBusyOutlined from '@mui/icons-material/EventBusyOutlined';
import AltRouteOutlined from '@mui/icons-material/AltRouteOutlined';
import FactCheckOutlined from '@mui/icons-material/FactCheckOutlined';
import FunctionsOutlined from '@mui/icons-material/FunctionsOutlined';
import HistoryOutlined from '@mui/icons-material/HistoryOutlined';
import GroupOutlined from '@mui/icons-material/GroupOutlined';
import InboxOutlined from '@mui/icons-material/InboxOutlined';
import KeyOutlined from '@mui/icons-material/KeyOutlined';
import RuleOutlined from '@mui/icons-material/RuleOutlined';
import LoginOutlined from '@mui/icons-material/LoginOutlined';
import MoveUpOutlined from '@mui/icons-material/MoveUpOutlined';
import SensorsOutlined from '@mui/icons-material/SensorsOutlined';
import TuneOutlined from '@mui/icons-material/TuneOutlined';
import SchemaOutlined from '@mui/icons-material/SchemaOutlined';
import TimerOutlined from '@mui/icons-material/TimerOutlined';
import OutboxOutlined from '@mui/icons-material/OutboxOutlined';
import VpnKeyOutlined from '@mui/icons-material/VpnKeyOutlined';
import SystemUpdateAltOutlined from '@mui/icons-material/SystemUpdateAltOutlined';
import WebhookOutlined from '@mui/icons-material/WebhookOutlined';
import RouteOutlined from '@mui/icons-material/RouteOutlined';
import { lazy, type ComponentType } from 'react';
import type { Discovery } from '../discovery.ts';
import type { Locale } from '../i18n/locale.ts';

export type Section = 'work' | 'build' | 'operate' | 'settings';

export interface PageEntry {
  /** Below `/t/:app/`; may end in `/*` when the page has addresses of its own. */
  readonly path: string;
  readonly section: Section;
  readonly label: Readonly<Record<Locale, string>>;
  readonly icon: ComponentType;
  readonly component: ComponentType;
  /** Who sees it. What one may not use is not shown, and the API refuses it too. */
  readonly allows: (discovery: Discovery) => boolean;
  /** Reached from other pages only. */
  readonly isHidden?: boolean;
}

const everybody = (): boolean => true;
const admins = (discovery: Discovery): boolean => discovery.user.is_admin;

export const PAGES: readonly PageEntry[] = [
  {
    path: '_approvals',
    section: 'work',
    label: { en: 'Approvals', de: 'Freigaben' },
    icon: InboxOutlined,
    component: lazy(() => import('../pages/approvals/index.tsx')),
    allows: everybody,
  },
  {
    path: '_runs/*',
    section: 'work',
    label: { en: 'Workflow runs', de: 'Läufe' },
    icon: HistoryOutlined,
    component: lazy(() => import('../pages/runs/index.tsx')),
    allows: everybody,
  },
  {
    path: '_clocks',
    section: 'work',
    label: { en: 'SLA clocks', de: 'SLA-Uhren' },
    icon: TimerOutlined,
    component: lazy(() => import('../pages/clocks/index.tsx')),
    allows: everybody,
  },
  {
    path: '_absences',
    section: 'work',
    label: { en: 'Absences', de: 'Abwesenheiten' },
    icon: EventBusyOutlined,
    component: lazy(() => import('../pages/absences/index.tsx')),
    allows: everybody,
  },
  {
    path: '_imports/*',
    section: 'work',
    label: { en: 'Imports', de: 'Importe' },
    icon: SystemUpdateAltOutlined,
    component: lazy(() => import('../pages/imports/index.tsx')),
    allows: ({ entities }) => entities.some(({ permissions }) => permissions.create || permissions.update),
  },
  {
    path: '_schema/*',
    section: 'build',
    label: { en: 'Schema', de: 'Schema' },
    icon: SchemaOutlined,
    component: lazy(() => import('../pages/schema/index.tsx')),
    allows: admins,
  },
  {
    path: '_rules/*',
    section: 'build',
    label: { en: 'Rules', de: 'Regeln' },
    icon: RuleOutlined,
    component: lazy(() => import('../pages/rules/index.tsx')),
    allows: admins,
  },
  {
    path: '_machines/*',
    section: 'build',
    label: { en: 'State machines', de: 'Zustandsautomaten' },
    icon: AltRouteOutlined,
    component: lazy(() => import('../pages/machines/index.tsx')),
    allows: admins,
  },
  {
    path: '_workflows/*',
    section: 'build',
    label: { en: 'Workflows', de: 'Workflows' },
    icon: RouteOutlined,
    component: lazy(() => import('../pages/workflows/index.tsx')),
    allows: admins,
  },
  {
    path: '_slas/*',
    section: 'build',
    label: { en: 'SLAs', de: 'SLAs' },
    icon: TimerOutlined,
    component: lazy(() => import('../pages/slas/index.tsx')),
    allows: admins,
  },
  {
    path: '_functions/*',
    section: 'build',
    label: { en: 'Functions', de: 'Funktionen' },
    icon: FunctionsOutlined,
    component: lazy(() => import('../pages/functions/index.tsx')),
    allows: admins,
  },
  {
    path: '_permissions/*',
    section: 'build',
    label: { en: 'Permissions', de: 'Berechtigungen' },
    icon: KeyOutlined,
    component: lazy(() => import('../pages/permissions/index.tsx')),
    allows: admins,
  },
  {
    path: '_versions/*',
    section: 'build',
    label: { en: 'Versions', de: 'Versionen' },
    icon: AccountTreeOutlined,
    component: lazy(() => import('../pages/versions/index.tsx')),
    allows: admins,
  },
  {
    path: '_migrations/*',
    section: 'build',
    label: { en: 'Migrations', de: 'Migrationen' },
    icon: MoveUpOutlined,
    component: lazy(() => import('../pages/migrations/index.tsx')),
    allows: admins,
  },
  {
    path: '_webhooks/*',
    section: 'operate',
    label: { en: 'Webhooks', de: 'Webhooks' },
    icon: WebhookOutlined,
    component: lazy(() => import('../pages/webhooks/index.tsx')),
    allows: admins,
  },
  {
    path: '_deliveries/*',
    section: 'operate',
    label: { en: 'Deliveries', de: 'Zustellungen' },
    icon: OutboxOutlined,
    component: lazy(() => import('../pages/deliveries/index.tsx')),
    allows: admins,
  },
  {
    path: '_audit',
    section: 'operate',
    label: { en: 'Audit', de: 'Protokoll' },
    icon: FactCheckOutlined,
    component: lazy(() => import('../pages/audit/index.tsx')),
    allows: admins,
  },
  {
    path: '_events',
    section: 'operate',
    label: { en: 'Event stream', de: 'Ereignisse' },
    icon: SensorsOutlined,
    component: lazy(() => import('../pages/events/index.tsx')),
    allows: admins,
  },
  {
    path: '_users/*',
    section: 'settings',
    label: { en: 'Users and roles', de: 'Personen und Rollen' },
    icon: GroupOutlined,
    component: lazy(() => import('../pages/users/index.tsx')),
    allows: admins,
  },
  {
    path: '_keys',
    section: 'settings',
    label: { en: 'API keys', de: 'API-Schlüssel' },
    icon: VpnKeyOutlined,
    component: lazy(() => import('../pages/keys/index.tsx')),
    allows: admins,
  },
  {
    path: '_providers/*',
    section: 'settings',
    label: { en: 'Sign-in providers', de: 'Anmeldedienste' },
    icon: LoginOutlined,
    component: lazy(() => import('../pages/providers/index.tsx')),
    allows: admins,
  },
  {
    path: '_settings',
    section: 'settings',
    label: { en: 'App settings', de: 'App-Einstellungen' },
    icon: TuneOutlined,
    component: lazy(() => import('../pages/settings/index.tsx')),
    allows: admins,
  },
  {
    path: '_account',
    section: 'settings',
    label: { en: 'Your account', de: 'Ihr Konto' },
    icon: AccountCircleOutlined,
    component: lazy(() => import('../pages/account/index.tsx')),
    allows: everybody,
  },
];

/** Those one sees, in the menu's order. */
export const pagesFor = (discovery: Discovery): readonly PageEntry[] => PAGES.filter((page) => page.allows(discovery));

/** Without the `/*` of a page with addresses of its own. */
export const pathOf = (page: Pick<PageEntry, 'path'>): string => page.path.replace(/\/\*$/, '');
