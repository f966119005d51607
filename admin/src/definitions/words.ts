import { words } from '../i18n/words.ts';

export const DEFINITIONS = words({
  en: {
    published: 'Published as version %{version}.',
    unchanged: 'Nothing has changed: this is what is served already.',
    migrating: 'Version %{version} is on its way: its migration still runs.',
    fix: 'Instead: %{fix}',
    roles: 'Roles',
    any_role: 'everybody',
    record_of: 'Record of %{entity}',
    record_hint: 'Type to find one by its title.',
  },
  de: {
    published: 'Als Version %{version} veröffentlicht.',
    unchanged: 'Es hat sich nichts geändert: so gilt es bereits.',
    migrating: 'Version %{version} ist unterwegs: ihre Migration läuft noch.',
    fix: 'Stattdessen: %{fix}',
    roles: 'Rollen',
    any_role: 'alle',
    record_of: 'Datensatz von %{entity}',
    record_hint: 'Tippen, um einen am Titel zu finden.',
  },
});
