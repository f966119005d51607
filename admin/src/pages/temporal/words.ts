import { words } from '../../i18n/words.ts';

export const TEMPORAL = words({
  en: {
    title: 'Temporal',
    description: 'The workflows of all apps, in Temporal’s own screens.',
    opening: 'Opening the Temporal Web UI …',
    missing: 'This server shows no Temporal Web UI: TEMPORAL_UI_UPSTREAM is not set.',
  },
  de: {
    title: 'Temporal',
    description: 'Die Abläufe aller Apps, in Temporals eigener Oberfläche.',
    opening: 'Die Weboberfläche von Temporal wird geöffnet …',
    missing: 'Dieser Server zeigt keine Weboberfläche von Temporal: TEMPORAL_UI_UPSTREAM ist nicht gesetzt.',
  },
});
