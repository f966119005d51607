/** Keys that reach into JavaScript's own objects; no field can be called so, and no body may hold them. */
export const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype'];
