import { HttpError, type AuthProvider } from 'react-admin';
import { ApiError, type Scope } from '../../../client/client.ts';
import type { Discovery } from '../discovery.ts';
import { client, isSignedIn, signIn, signOut } from '../session.ts';

const REFUSED = 'durabase.signInRefused';

/** `permissions` is the discovery's list of entities: buttons and pages come from it, and the API refuses the same calls. */
export function createAuthProvider(discovery: Discovery | undefined, onSignedOut: () => void): AuthProvider {
  return {
    async login({ scope, username, password }: { scope: Scope; username: string; password: string }) {
      if ((await signIn(scope, username, password)) !== undefined) throw new Error(REFUSED);
    },
    async logout() {
      await signOut();
      onSignedOut();
      return false;
    },
    async checkAuth() {
      if (!(await isSignedIn())) throw new Error(REFUSED);
    },
    // A 403 means "not allowed", never "not signed in": only a 401 ends the session.
    async checkError(error: unknown) {
      if ((error instanceof HttpError || error instanceof ApiError) && error.status === 401) throw new Error(REFUSED);
    },
    async getIdentity() {
      return { id: client.user?.id ?? '', fullName: client.user?.email ?? '' };
    },
    async getPermissions() {
      return discovery?.entities ?? [];
    },
    async canAccess({ action, resource }) {
      const entity = discovery?.entities.find((candidate) => candidate.name === resource);
      if (entity === undefined) return true;
      const { permissions } = entity;
      switch (action) {
        case 'create':
          return permissions.create;
        case 'edit':
          return permissions.update;
        case 'delete':
          return permissions.delete;
        default:
          return permissions.read;
      }
    },
  };
}
