/** The schema designer: one draft of the whole document as diagram, table and code, and what publishing it would do. */
import RedoOutlined from '@mui/icons-material/RedoOutlined';
import UndoOutlined from '@mui/icons-material/UndoOutlined';
import { Alert, Box, Button, IconButton, Stack, Tab, Tabs, Tooltip } from '@mui/material';
import { lazy, Suspense, useEffect, useMemo, useState, type ReactElement } from 'react';
import { Link, Navigate, Route, Routes, useBlocker, useLocation } from 'react-router-dom';
import { PublishedNotice } from '../../document/PublishedNotice.tsx';
import { useServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { DialogsProvider, type Asked } from './dialogs.ts';
import { DraftProvider, forgetDraft, storedDraft, useDraft, useDraftTools } from './draft.ts';
import { fresh, resumed, withoutIds, type Draft } from './model/history.ts';
import { rebase } from './model/rebase.ts';
import { SidePanel } from './SidePanel.tsx';
import { SCHEMA } from './words.ts';

const Dialogs = lazy(() => import('./Dialogs.tsx'));
const Diagram = lazy(() => import('./diagram/Diagram.tsx'));
const TableView = lazy(() => import('./TableView.tsx'));
const Code = lazy(() => import('./code/Code.tsx'));
const Import = lazy(() => import('./Import.tsx'));

const TABS = ['diagram', 'table', 'code', 'import'] as const;
type TabName = (typeof TABS)[number];

export default function Schema(): ReactElement {
  const t = useWords(SCHEMA);
  const { app } = useDiscovery();
  const [stored, setStored] = useState(() => storedDraft(app.name));
  const { served, error, refetch } = useServedDocument(stored?.version);
  // An app that was removed and made again has versions of its own: a draft upon one that is not there belongs to nothing.
  const isOrphan = stored !== undefined && error?.status === 404;
  useEffect(() => {
    if (!isOrphan) return;
    forgetDraft(app.name);
    setStored(undefined);
  }, [isOrphan, app.name]);
  const initial = useMemo((): Draft | undefined => {
    if (served === undefined) return undefined;
    const base = { version: served.version, document: withoutIds(served.document) };
    return stored === undefined ? fresh(base) : resumed(base, stored);
  }, [served, stored]);
  if (initial === undefined) {
    return (
      <Page title={t('title')} description={t('description')}>
        {isOrphan ? null : <Problem error={error} onRetry={() => void refetch()} />}
        {error === null || isOrphan ? <Loading lines={8} /> : null}
      </Page>
    );
  }
  return <Designer initial={initial} />;
}

function Designer({ initial }: { readonly initial: Draft }): ReactElement {
  const t = useWords(SCHEMA);
  const tools = useDraftTools(initial);
  const [asked, setAsked] = useState<Asked>();
  const dialogs = useMemo(() => ({ ask: setAsked }), []);
  return (
    <DraftProvider value={tools}>
      <DialogsProvider value={dialogs}>
        <Page title={t('title')} description={t('description')} width="full" actions={<DraftActions onAsk={setAsked} />}>
          <PublishedNotice />
          <Newer />
          <Broken />
          <Views />
        </Page>
        {asked === undefined ? null : (
          <Suspense>
            <Dialogs asked={asked} onClose={() => setAsked(undefined)} />
          </Suspense>
        )}
        <LeaveGuard />
        <UndoKeys />
      </DialogsProvider>
    </DraftProvider>
  );
}

function DraftActions({ onAsk }: { readonly onAsk: (asked: Asked) => void }): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, dispatch, isChanged, isBroken, newer } = useDraft();
  const step = (kind: 'undo' | 'redo', isThere: boolean, icon: ReactElement): ReactElement => (
    <Tooltip title={t(kind)}>
      <span>
        <IconButton size="small" aria-label={t(kind)} disabled={!isThere} onClick={() => dispatch({ kind })}>
          {icon}
        </IconButton>
      </span>
    </Tooltip>
  );
  return (
    <>
      <State />
      {step('undo', draft.past.length > 0, <UndoOutlined />)}
      {step('redo', draft.future.length > 0, <RedoOutlined />)}
      <Button size="small" variant="outlined" disabled={!isChanged} onClick={() => onAsk({ kind: 'discard' })}>
        {t('discard')}
      </Button>
      <Button
        size="small"
        variant="contained"
        disabled={!isChanged || isBroken || newer !== undefined}
        onClick={() => onAsk({ kind: 'publish' })}
      >
        {t('publish')}
      </Button>
    </>
  );
}

/** In a word what the draft is: nothing, so many changes and of which class, or why it cannot be published. */
function State(): ReactElement {
  const t = useWords(SCHEMA);
  const { marks, isChanged, isBroken, dryRun } = useDraft();
  const changes = marks.count === 0 ? t('no_changes') : t('changes', marks.count);
  return (
    <Box role="status" sx={{ display: 'flex', alignItems: 'center' }}>
      {isBroken || dryRun.state === 'refused' ? (
        <Status tone="failed" label={`${changes}, ${t('is_refused')}`} />
      ) : !isChanged || dryRun.state === 'none' ? (
        <Status tone="off" label={changes} />
      ) : dryRun.state === 'asking' ? (
        <Status tone="waiting" label={`${changes}, ${t('judging')}`} />
      ) : (
        <Status
          tone={dryRun.plan.class === 'breaking' ? 'warning' : 'done'}
          label={`${changes}, ${t(dryRun.plan.class === 'breaking' ? 'is_breaking' : 'is_compatible')}`}
        />
      )}
    </Box>
  );
}

/** Somebody published meanwhile: their changes are taken over on request, and nothing breaks until then. */
function Newer(): ReactElement | null {
  const t = useWords(SCHEMA);
  const { draft, dispatch, newer, isChanged, isBroken } = useDraft();
  const reload = useReload();
  const [conflicts, setConflicts] = useState<readonly string[]>([]);
  const { served } = useServedDocument(newer ?? draft.base.version);
  if (newer === undefined) {
    return conflicts.length === 0 ? null : (
      <Alert severity="warning" sx={{ mb: 1 }} onClose={() => setConflicts([])}>
        {t('conflicts', { places: conflicts.join(', ') })}
      </Alert>
    );
  }
  const take = (): void => {
    if (served === undefined) return;
    const theirs = { version: served.version, document: withoutIds(served.document) };
    const { document, conflicts: places } = rebase(draft.base.document, draft.document, theirs.document);
    dispatch({ kind: 'rebase', base: theirs, document });
    setConflicts(places);
  };
  return (
    <Alert
      severity="info"
      sx={{ mb: 1 }}
      action={
        isChanged ? (
          <Button size="small" color="inherit" disabled={isBroken || served?.version !== newer} onClick={take}>
            {t('rebase')}
          </Button>
        ) : (
          <Button size="small" color="inherit" onClick={() => void reload()}>
            {t('reload')}
          </Button>
        )
      }
    >
      {isChanged ? t('newer', { version: newer, base: draft.base.version }) : t('newer_clean', { version: newer })}
    </Alert>
  );
}

function Broken(): ReactElement | null {
  const t = useWords(SCHEMA);
  const { isBroken } = useDraft();
  const tab = useTab();
  const base = useBase();
  if (!isBroken || tab === 'code') return null;
  return (
    <Alert
      severity="error"
      sx={{ mb: 1 }}
      action={
        <Button size="small" color="inherit" component={Link} to={`${base}/code`}>
          {t('to_code')}
        </Button>
      }
    >
      {t('broken')}
    </Alert>
  );
}

const useBase = (): string => `/t/${useDiscovery().app.name}/_schema`;

function useTab(): TabName {
  const { pathname } = useLocation();
  const last = pathname.split('/').at(-1);
  return TABS.find((tab) => tab === last) ?? 'diagram';
}

function Views(): ReactElement {
  const t = useWords(SCHEMA);
  const tab = useTab();
  const base = useBase();
  const { search } = useLocation();
  return (
    <>
      <Tabs
        value={tab}
        aria-label={t('tabs')}
        variant="scrollable"
        scrollButtons={false}
        sx={{ minHeight: 40, mb: 1.5, borderBottom: 1, borderColor: 'divider' }}
      >
        {TABS.map((one) => (
          <Tab
            key={one}
            value={one}
            label={t(one)}
            component={Link}
            to={`${base}${one === 'diagram' ? '' : `/${one}`}${one === 'diagram' || one === 'table' ? search : ''}`}
            sx={{ minHeight: 40, minWidth: { xs: 64, sm: 90 } }}
          />
        ))}
      </Tabs>
      <Suspense fallback={<Loading lines={8} />}>
        <Routes>
          <Route
            index
            element={
              <Beside isCanvas>
                <Diagram />
              </Beside>
            }
          />
          <Route
            path="table"
            element={
              <Beside>
                <TableView />
              </Beside>
            }
          />
          <Route path="code" element={<Code />} />
          <Route path="import" element={<Import />} />
          <Route path="*" element={<Navigate to={base} replace />} />
        </Routes>
      </Suspense>
    </>
  );
}

/** With the panel at the side, or below where there is no room. */
function Beside({ children, isCanvas = false }: { readonly children: ReactElement; readonly isCanvas?: boolean }): ReactElement {
  const height = { xs: 'auto', md: 'calc(100vh - 210px)' };
  return (
    <Stack
      direction={{ xs: 'column', md: 'row' }}
      spacing={2}
      sx={{ alignItems: 'stretch', minWidth: 0, ...(isCanvas ? { height, minHeight: { md: 480 } } : {}) }}
    >
      <Box sx={{ flex: 1, minWidth: 0, display: 'flex', flexDirection: 'column', ...(isCanvas ? { minHeight: { xs: 480, md: 0 } } : {}) }}>
        {children}
      </Box>
      <Stack
        sx={{
          width: { xs: '100%', md: 360 },
          flexShrink: 0,
          minHeight: 0,
          ...(isCanvas
            ? {}
            : { position: { md: 'sticky' }, top: { md: 64 }, maxHeight: { md: 'calc(100vh - 90px)' }, alignSelf: { md: 'flex-start' } }),
        }}
      >
        <SidePanel />
      </Stack>
    </Stack>
  );
}

/** The draft stays in the browser, which whoever leaves should know. */
function LeaveGuard(): ReactElement | null {
  const t = useWords(SCHEMA);
  const { isChanged } = useDraft();
  const base = useBase();
  const blocker = useBlocker(({ nextLocation }) => isChanged && !nextLocation.pathname.startsWith(base));
  if (blocker.state !== 'blocked') return null;
  return (
    <Confirm
      title={t('leave_title')}
      action={t('leave_action')}
      onConfirm={async () => blocker.proceed()}
      onClose={() => blocker.reset?.()}
    >
      {t('leave')}
    </Confirm>
  );
}

const isWriting = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

/** Ctrl Z and Ctrl Shift Z; in an input they are the input's own. */
function UndoKeys(): null {
  const { dispatch } = useDraft();
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isWriting(event.target)) return;
      const key = event.key.toLowerCase();
      if (key !== 'z' && key !== 'y') return;
      event.preventDefault();
      dispatch({ kind: key === 'y' || event.shiftKey ? 'redo' : 'undo' });
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [dispatch]);
  return null;
}
