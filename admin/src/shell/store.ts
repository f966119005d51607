/** What pages remember in this browser, apart for each app, so that nothing of one app shows in another. */
import { localStorageStore, type Store } from 'react-admin';

export const storeFor = (place: string): Store => localStorageStore(undefined, `durabase.${place}`);
