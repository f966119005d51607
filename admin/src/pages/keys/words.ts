import { words } from '../../i18n/words.ts';

export const API_KEYS = words({
  en: {
    title: 'API keys',
    description: 'For programs. A key does what its roles or its account may do, cut by its scopes, until it expires or is revoked.',
  },
  de: {
    title: 'API-Schlüssel',
    description: 'Für Programme. Ein Schlüssel tut, was seine Rollen oder sein Konto dürfen, begrenzt durch seine Bereiche.',
  },
});
