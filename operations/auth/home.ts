/** Where accounts live and what holds for them: the platform, or one app with its settings. */
import { appRealm, PLATFORM_REALM, type Realm } from '../../adapters/tokens.ts';
import { authSettingsSchema, type AuthSettings } from '../../core/model/document.ts';
import type { AppRuntime } from '../context.ts';

export interface AccountHome {
  readonly realm: Realm;
  /** The first segment of its paths: the app's name, or `_platform`. */
  readonly name: string;
  /** How mails call it. */
  readonly displayName: string;
  readonly settings: AuthSettings;
}

export const PLATFORM_HOME: AccountHome = {
  realm: PLATFORM_REALM,
  name: '_platform',
  displayName: 'Durabase',
  settings: authSettingsSchema.parse({}),
};

const HOME = {};

export const homeOf = (app: AppRuntime): AccountHome => app.memo(HOME, makeHome);

const makeHome = (app: AppRuntime): AccountHome => ({
  realm: appRealm(app, app.model.settings.auth?.algorithm),
  name: app.name,
  displayName: app.displayName,
  settings: app.model.settings.auth ?? PLATFORM_HOME.settings,
});
