/** Ctrl+K: to any page or entity by a few letters. `?` lists the shortcuts. Neither acts while somebody types. */
import { Dialog, DialogContent, DialogTitle, InputBase, List, ListItemButton, ListItemText, Typography } from '@mui/material';
import { useEffect, useId, useMemo, useState, type KeyboardEvent, type ReactElement } from 'react';
import { useNavigate } from 'react-router-dom';
import { useLocale } from '../i18n/locale.ts';
import { useWords } from '../i18n/words.ts';
import { HIDDEN } from '../ui/hidden.ts';
import { useDiscoveryIfAny } from './discovery-context.ts';
import { pagesFor, pathOf } from './pages.ts';
import { PLATFORM_PAGES } from './platform-pages.ts';
import { useShortcuts } from './shortcuts.ts';
import { useRecentEntities, useRecords, type Place } from './record-search.ts';
import { SHELL } from './words.ts';

interface CommandPaletteProps {
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  readonly onClose: () => void;
}

export function CommandPalette({ isOpen, onOpen, onClose }: CommandPaletteProps): ReactElement {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const navigate = useNavigate();
  const discovery = useDiscoveryIfAny();
  useRecentEntities(discovery);
  const home = discovery === undefined ? '/platform/apps' : `/t/${discovery.app.name}`;
  useShortcuts({
    'mod+k': onOpen,
    '?': () => setHelpOpen(true),
    'g h': () => void navigate(home),
    ...(discovery === undefined ? {} : { 'g a': () => void navigate(`${home}/_approvals`) }),
  });
  return (
    <>
      {isOpen ? <Palette onClose={onClose} /> : null}
      {isHelpOpen ? <Shortcuts onClose={() => setHelpOpen(false)} /> : null}
    </>
  );
}

function usePlaces(): readonly Place[] {
  const t = useWords(SHELL);
  const locale = useLocale();
  const discovery = useDiscoveryIfAny();
  return useMemo(() => {
    if (discovery === undefined) {
      return PLATFORM_PAGES.map((page) => ({ to: `/platform/${pathOf(page)}`, label: page.label[locale], kind: t('platform') }));
    }
    const base = `/t/${discovery.app.name}`;
    return [
      { to: base, label: t('home'), kind: '' },
      ...pagesFor(discovery)
        .filter((page) => page.isHidden !== true)
        .map((page) => ({ to: `${base}/${pathOf(page)}`, label: page.label[locale], kind: t(page.section) })),
      ...discovery.entities
        .filter((entity) => entity.permissions.read)
        .map((entity) => ({ to: `${base}/${entity.name}`, label: entity.label, kind: t('data') })),
    ];
  }, [discovery, locale, t]);
}

function Palette({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(SHELL);
  const id = useId();
  const navigate = useNavigate();
  const places = usePlaces();
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(0);
  const records = useRecords(typed);
  const pages = places.filter(({ label }) => label.toLowerCase().includes(typed.trim().toLowerCase())).slice(0, 12);
  const found = [...pages, ...records.found];
  const go = (place: Place | undefined): void => {
    if (place === undefined) return;
    onClose();
    void navigate(place.to);
  };
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen((chosen + step + found.length) % Math.max(found.length, 1));
    } else if (event.key === 'Enter') go(found[chosen]);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="sm"
      aria-labelledby={`${id}title`}
      sx={{ '& .MuiDialog-container': { alignItems: 'start', pt: '10vh' } }}
    >
      <Typography id={`${id}title`} component="h2" sx={HIDDEN}>
        {t('search')}
      </Typography>
      <InputBase
        autoFocus
        value={typed}
        placeholder={t('search_hint')}
        onChange={(event) => (setTyped(event.target.value), setChosen(0))}
        onKeyDown={move}
        sx={{ px: 2, py: 1.5, fontSize: 16, borderBottom: 1, borderColor: 'divider' }}
        slotProps={{
          input: {
            role: 'combobox',
            'aria-label': t('search_hint'),
            'aria-expanded': true,
            'aria-controls': `${id}list`,
            'aria-activedescendant': found.length === 0 ? undefined : `${id}${chosen}`,
          },
        }}
      />
      {found.length === 0 ? (
        <Typography sx={{ p: 2 }} role="status">
          {records.isSearching ? t('searching') : t('nothing_found')}
        </Typography>
      ) : (
        <List id={`${id}list`} role="listbox" aria-label={t('search')} dense>
          {found.map((place, index) => (
            <ListItemButton
              key={place.to}
              id={`${id}${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              selected={index === chosen}
              onClick={() => go(place)}
            >
              <ListItemText primary={place.label} />
              <Typography variant="caption" sx={{ color: 'text.secondary' }}>
                {place.kind}
              </Typography>
            </ListItemButton>
          ))}
        </List>
      )}
    </Dialog>
  );
}

function Shortcuts({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(SHELL);
  const id = useId();
  const rows: readonly (readonly [keys: string, what: string])[] = [
    ['Ctrl K', t('shortcut_palette')],
    ['g …', t('shortcut_home')],
    ['?', t('shortcut_help')],
    ['Esc', t('shortcut_close')],
  ];
  useEffect(() => {
    const close = (event: globalThis.KeyboardEvent): void => (event.key === '?' ? onClose() : undefined);
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [onClose]);
  return (
    <Dialog open onClose={onClose} aria-labelledby={id}>
      <DialogTitle id={id}>{t('shortcuts')}</DialogTitle>
      <DialogContent>
        <table>
          <tbody>
            {rows.map(([keys, what]) => (
              <tr key={keys}>
                <th scope="row" style={{ textAlign: 'left', paddingRight: 24 }}>
                  <kbd>{keys}</kbd>
                </th>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </DialogContent>
    </Dialog>
  );
}
