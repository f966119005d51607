/** Questions that any part of the designer may ask: the dialogs themselves stand once, on the page. */
import { createContext, useContext } from 'react';

export type Asked =
  | { readonly kind: 'new' }
  | { readonly kind: 'link'; readonly source?: string; readonly target?: string }
  | { readonly kind: 'remove'; readonly entity: string }
  | { readonly kind: 'discard' }
  | { readonly kind: 'publish' };

export interface Dialogs {
  ask(asked: Asked): void;
}

const DialogsContext = createContext<Dialogs>({ ask: () => undefined });
export const DialogsProvider = DialogsContext.Provider;
export const useDialogs = (): Dialogs => useContext(DialogsContext);
