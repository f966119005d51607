/** The saved lists of an entity as tabs above it: one's own and shared ones; all records, and what was deleted. */
import GroupOutlined from '@mui/icons-material/GroupOutlined';
import MoreVert from '@mui/icons-material/MoreVert';
import StarOutlined from '@mui/icons-material/StarOutlined';
import {
  Alert,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  Menu,
  MenuItem,
  Stack,
  Tab,
  Tabs,
  TextField,
  Tooltip,
} from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { useSend } from '../../api/use-api.ts';
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useSay } from '../../ui/say.ts';
import { contentOf, isFiltered, usualState, type SavedList } from './state.ts';
import { listsPath, type ListControl } from './use-list-state.ts';
import { LIST } from './words.ts';

interface SavedTabsProps {
  readonly discovery: Discovery;
  readonly entity: DiscoveredEntity;
  readonly control: ListControl;
}

const ALL = 'all';
const TRASH = 'deleted';

export function SavedTabs({ discovery, entity, control }: SavedTabsProps): ReactElement | null {
  const t = useWords(LIST);
  const { savedLists, saved, state, set, isChanged } = control;
  const hasTrash = entity.soft_delete && discovery.user.is_admin;
  const canSave = saved === undefined && !state.isTrash && (isFiltered(state) || state.columns !== undefined);
  if (savedLists.length === 0 && !hasTrash && !canSave) return null;
  const open = (value: string): void => {
    const usual = usualState(entity);
    const hasOwnStart = savedLists.some((list) => list.is_default);
    if (value === TRASH) set({ ...usual, isTrash: true });
    else if (value === ALL) set({ ...usual, list: hasOwnStart ? ALL : undefined });
    else control.open(value);
  };
  return (
    <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, mb: 1, borderBottom: 1, borderColor: 'divider', minWidth: 0 }}>
      <Tabs
        value={state.isTrash ? TRASH : (saved?.id ?? ALL)}
        onChange={(_, value: string) => open(value)}
        variant="scrollable"
        scrollButtons="auto"
        allowScrollButtonsMobile
        aria-label={t('lists')}
        sx={{
          minHeight: 36,
          flex: '1 1 0',
          width: 0,
          minWidth: 0,
          '& .MuiTab-root': { minHeight: 36, textTransform: 'none', py: 0.5, maxWidth: 240 },
        }}
      >
        <Tab value={ALL} label={t('all')} />
        {savedLists.map((list) => (
          <Tab key={list.id} value={list.id} label={<TabLabel list={list} />} />
        ))}
        {hasTrash ? <Tab value={TRASH} label={t('trash')} /> : null}
      </Tabs>
      {saved === undefined || state.isTrash ? null : (
        <ListOptions discovery={discovery} list={saved} control={control} isChanged={isChanged} entity={entity} />
      )}
      {canSave ? <SaveAs discovery={discovery} entity={entity} control={control} /> : null}
    </Box>
  );
}

function TabLabel({ list }: { readonly list: SavedList }): ReactElement {
  const t = useWords(LIST);
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.5, maxWidth: '100%' }}>
      <Box component="span" dir="auto" sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
        {list.name}
      </Box>
      {list.shared_with === null ? null : <GroupOutlined titleAccess={t('list_shared')} sx={{ fontSize: 14 }} />}
      {list.is_default ? <StarOutlined titleAccess={t('list_is_default')} sx={{ fontSize: 14 }} /> : null}
    </Box>
  );
}

/** Shown above the rows of a list of which a part does not work any more. */
export function StaleNote({ saved }: { readonly saved: SavedList | undefined }): ReactElement | null {
  const t = useWords(LIST);
  if (saved === undefined || saved.stale.length === 0) return null;
  return (
    <Alert severity="warning" sx={{ mb: 1 }}>
      {t('list_stale', { parts: saved.stale.map(({ message }) => message).join(' ') })}
    </Alert>
  );
}

/** Keeps what is shown as a list of its own, and opens it. */
function useSaveAs({ discovery, entity, control }: SavedTabsProps): (name: string) => Promise<void> {
  const send = useSend();
  return async (name) => {
    const body = { entity: entity.name, name, ...contentOf(entity, control.state) };
    const answer = await send<{ data: SavedList }>('POST', listsPath(discovery.app.name), body);
    control.open(answer.data.id);
  };
}

function SaveAs({ discovery, entity, control }: SavedTabsProps): ReactElement {
  const t = useWords(LIST);
  const [isOpen, setOpen] = useState(false);
  const save = useSaveAs({ discovery, entity, control });
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)} sx={{ whiteSpace: 'nowrap', flex: 'none' }}>
        {t('save_list')}
      </Button>
      {isOpen ? <NameDialog title={t('save_list')} name="" onSave={save} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

interface ListOptionsProps extends SavedTabsProps {
  readonly list: SavedList;
  readonly isChanged: boolean;
}

type Open = 'menu' | 'rename' | 'delete' | 'save-as';

function ListOptions({ discovery, entity, list, control, isChanged }: ListOptionsProps): ReactElement {
  const t = useWords(LIST);
  const say = useSay();
  const send = useSend();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [open, setOpen] = useState<Open>();
  const saveAs = useSaveAs({ discovery, entity, control });
  const path = `${listsPath(discovery.app.name)}/${list.id}`;
  const change = async (body: object): Promise<void> => {
    setOpen(undefined);
    try {
      await send('PATCH', path, body, { headers: { 'if-match': `"${list.version}"` } });
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), 'error');
    }
  };
  const keep = async (): Promise<void> => {
    await change(contentOf(entity, control.state));
    control.open(list.id);
  };
  const copy = async (): Promise<void> => {
    setOpen(undefined);
    await navigator.clipboard.writeText(`${window.location.origin}${window.location.pathname}?list=${list.id}`);
    say(t('copied'));
  };
  const mayShare = discovery.user.may_share_lists && list.may_change;
  return (
    <Stack direction="row" sx={{ alignItems: 'center', flex: 'none' }}>
      {isChanged && list.may_change ? (
        <Button size="small" onClick={() => void keep()}>
          {t('save_changes')}
        </Button>
      ) : null}
      <Tooltip title={t('list_options', { name: list.name })}>
        <IconButton
          size="small"
          aria-label={t('list_options', { name: list.name })}
          aria-haspopup="menu"
          onClick={(event) => (setAnchor(event.currentTarget), setOpen('menu'))}
        >
          <MoreVert fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu open={open === 'menu'} anchorEl={anchor} onClose={() => setOpen(undefined)}>
        <MenuItem onClick={() => void change({ is_default: !list.is_default })}>
          {t(list.is_default ? 'list_no_default' : 'list_default')}
        </MenuItem>
        <MenuItem onClick={() => void copy()}>{t('list_link')}</MenuItem>
        {isChanged ? <MenuItem onClick={() => setOpen('save-as')}>{t('save_list')}</MenuItem> : null}
        {list.may_change ? <MenuItem onClick={() => setOpen('rename')}>{t('list_rename')}</MenuItem> : null}
        {mayShare ? (
          <MenuItem onClick={() => void change({ shared_with: list.shared_with === null ? ['*'] : null })}>
            {t(list.shared_with === null ? 'list_share' : 'list_unshare')}
          </MenuItem>
        ) : null}
        {list.may_change ? <MenuItem onClick={() => setOpen('delete')}>{t('list_delete')}</MenuItem> : null}
      </Menu>
      {open === 'rename' ? (
        <NameDialog
          title={t('list_rename')}
          name={list.name}
          onSave={(name) => send('PATCH', path, { name }, { headers: { 'if-match': `"${list.version}"` } })}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open === 'save-as' ? (
        <NameDialog title={t('save_list')} name={list.name} onSave={saveAs} onClose={() => setOpen(undefined)} />
      ) : null}
      {open === 'delete' ? (
        <Confirm
          isDestructive
          title={`${t('list_delete')}: ${list.name}`}
          action={t('delete')}
          onConfirm={async () => {
            await send('DELETE', path);
            control.set({ ...usualState(entity), list: undefined }, false);
          }}
          onClose={() => setOpen(undefined)}
        >
          {t('list_delete_text')}
        </Confirm>
      ) : null}
    </Stack>
  );
}

interface NameDialogProps {
  readonly title: string;
  readonly name: string;
  readonly onSave: (name: string) => Promise<unknown>;
  readonly onClose: () => void;
}

function NameDialog({ title, name, onSave, onClose }: NameDialogProps): ReactElement {
  const t = useWords(LIST);
  const id = useId();
  const [typed, setTyped] = useState(name);
  const [error, setError] = useState<unknown>();
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="xs">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void onSave(typed.trim()).then(onClose, setError);
        }}
      >
        <DialogTitle id={id}>{title}</DialogTitle>
        <DialogContent>
          <Problem error={error} />
          <TextField
            autoFocus
            fullWidth
            size="small"
            sx={{ mt: 1 }}
            label={t('list_name')}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 100, dir: 'auto' } }}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={typed.trim() === ''}>
            {t('save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
