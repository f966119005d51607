import { List, ListItemButton, ListItemText, Paper } from '@mui/material';
import type { ReactElement } from 'react';
import { Link } from 'react-router-dom';
import { useLocale } from '../i18n/locale.ts';
import { useWords } from '../i18n/words.ts';
import { Page } from '../ui/Page.tsx';
import { useDiscovery } from './discovery-context.ts';
import { pagesFor, pathOf } from './pages.ts';
import { SHELL } from './words.ts';

/** The first page of an app: everything one may open. */
export function Home(): ReactElement {
  const t = useWords(SHELL);
  const locale = useLocale();
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}`;
  const work = pagesFor(discovery).filter((page) => page.section === 'work' && page.isHidden !== true);
  const readable = discovery.entities.filter((entity) => entity.permissions.read);
  return (
    <Page title={discovery.app.display_name} width="form">
      <Paper variant="outlined">
        <List aria-label={t('home')}>
          {work.map((page) => (
            <li key={page.path}>
              <ListItemButton component={Link} to={`${base}/${pathOf(page)}`}>
                <ListItemText primary={page.label[locale]} />
              </ListItemButton>
            </li>
          ))}
          {readable.map((entity) => (
            <li key={entity.name}>
              <ListItemButton component={Link} to={`${base}/${entity.name}`}>
                <ListItemText primary={entity.label} secondary={entity.description} />
              </ListItemButton>
            </li>
          ))}
        </List>
      </Paper>
    </Page>
  );
}
