import { useCallback } from 'react';
import { useNotify } from 'react-admin';

/** Tells something in passing, in words that are no key of react-admin's own. */
export function useSay(): (message: string, type?: 'info' | 'success' | 'error') => void {
  const notify = useNotify();
  return useCallback((message, type = 'info') => notify(message, { type, messageArgs: { _: message } }), [notify]);
}
