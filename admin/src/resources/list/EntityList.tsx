/** The list of an entity: saved lists as tabs, search and filters, the rows, what can be done with them, pages. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import MoreVert from '@mui/icons-material/MoreVert';
import SearchOutlined from '@mui/icons-material/SearchOutlined';
import {
  Alert,
  Box,
  Button,
  IconButton,
  InputAdornment,
  Menu,
  MenuItem,
  Stack,
  TextField,
  Tooltip,
  useMediaQuery,
  type Theme,
} from '@mui/material';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useMemo, useState, type ReactElement } from 'react';
import { useDataProvider, useGetList, type RaRecord } from 'react-admin';
import { Link } from 'react-router-dom';
import { appPath, useRead, useRested } from '../../api/use-api.ts';
import { isNumeric } from '../../fields/values.ts';
import type { DiscoveredEntity, DiscoveredField, Discovery } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { ImportButton } from '../../pages/imports/ImportButton.tsx';
import { wholeList, type ListMeta, type RecordProvider } from '../../providers/data-provider.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useSay } from '../../ui/say.ts';
import type { EntityProps } from '../shape.ts';
import { BulkBar } from './BulkBar.tsx';
import { ColumnsMenu } from './ColumnsMenu.tsx';
import { exportList, type FileKind } from './export.ts';
import { ActiveFilters, AddFilter } from './Filters.tsx';
import { Footer } from './Footer.tsx';
import { NewsBar, useNews } from './News.tsx';
import { RecordCards, RecordTable, type RowsProps, type Selection } from './RecordTable.tsx';
import { SavedTabs, StaleNote } from './SavedTabs.tsx';
import { filterOf, isFiltered, usualColumns, type ListState } from './state.ts';
import { useListState, type ListControl } from './use-list-state.ts';
import { LIST } from './words.ts';

export function EntityList({ discovery, entity }: EntityProps): ReactElement {
  const control = useListState(discovery, entity);
  return (
    <Page title={entity.label} width="full">
      {control.isKnown ? <Shown discovery={discovery} entity={entity} control={control} /> : <Loading lines={8} />}
    </Page>
  );
}

interface ShownProps extends EntityProps {
  readonly control: ListControl;
}

function Shown({ discovery, entity, control }: ShownProps): ReactElement {
  const { state, set } = control;
  const columns = useColumns(entity, state);
  const [isEditing, setEditing] = useState(false);
  const [hasSums, setSums] = useState(false);
  const answer = useRows(discovery, entity, state, columns);
  const rows = answer.data ?? NO_ROWS;
  const ids = useMemo(() => rows.map((row) => String(row.id)), [rows]);
  const picks = useSelection(discovery, entity, state, ids);
  const news = useNews(entity.name, ids, answer.dataUpdatedAt);
  const sums = useSums(discovery, entity, state, columns, hasSums);
  const download = useExport(discovery, entity, state);
  const canPick = entity.permissions.update || entity.permissions.delete;
  const table: RowsProps = {
    entity,
    columns,
    rows,
    sort: state.sort,
    onSort: (sort) => set({ sort }),
    selection: canPick ? picks.selection : undefined,
    isEditing,
    isTrash: state.isTrash,
    sums,
  };
  const chosen = [...picks.selection.ids];
  return (
    <>
      <SavedTabs discovery={discovery} entity={entity} control={control} />
      <StaleNote saved={control.saved} />
      <Toolbar
        discovery={discovery}
        entity={entity}
        control={control}
        isEditing={isEditing}
        onEditing={entity.permissions.update && !state.isTrash ? setEditing : undefined}
        hasSums={hasSums}
        onSums={columns.some(isNumeric) ? setSums : undefined}
        onExport={(kind) => void download(kind, [])}
      />
      <ActiveFilters entity={entity} control={control} />
      {isEditing ? <EditingHint /> : null}
      <NewsBar news={news} onRefresh={() => void answer.refetch()} />
      {chosen.length === 0 ? null : (
        <BulkBar
          discovery={discovery}
          entity={entity}
          state={state}
          columns={columns}
          ids={chosen}
          rows={rows.filter((row) => picks.selection.ids.has(String(row.id)))}
          total={answer.total}
          onSelectAll={picks.canSelectAll(answer.total) ? () => void picks.selectAll(answer.total ?? 0) : undefined}
          onClear={picks.clear}
          onDone={() => void answer.refetch()}
          onExport={(kind) => void download(kind, chosen)}
        />
      )}
      <Body {...table} control={control} answer={answer} isCreatable={entity.permissions.create} />
      {answer.isPending ? null : (
        <Footer
          control={control}
          total={answer.total}
          isEstimated={(answer.meta as { estimated?: boolean } | undefined)?.estimated === true}
          shown={rows.length}
          hasNext={answer.pageInfo?.hasNextPage ?? state.page * state.perPage < (answer.total ?? 0)}
        />
      )}
    </>
  );
}

const NO_ROWS: readonly RaRecord[] = [];

interface BodyProps extends RowsProps {
  readonly control: ListControl;
  readonly answer: ReturnType<typeof useRows>;
  readonly isCreatable: boolean;
}

function Body({ control, answer, isCreatable, ...table }: BodyProps): ReactElement {
  const t = useWords(LIST);
  const isNarrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { state, set } = control;
  if (answer.error !== null) return <Problem error={answer.error} onRetry={() => void answer.refetch()} />;
  if (answer.isPending) return <Loading lines={10} />;
  if (table.rows.length > 0) return isNarrow ? <RecordCards {...table} /> : <RecordTable {...table} />;
  if (state.page > 1) return <Empty action={<Button onClick={() => set({ page: 1 })}>{t('first_page')}</Button>}>{t('page_gone')}</Empty>;
  if (isFiltered(state))
    return (
      <Empty action={<Button onClick={() => set({ conditions: [], further: undefined, q: '' })}>{t('clear_filters')}</Button>}>
        {t('empty_filtered')}
      </Empty>
    );
  if (state.isTrash) return <Empty>{t('empty_trash')}</Empty>;
  const create = (
    <Button component={Link} to="create" variant="contained">
      {t('empty_action')}
    </Button>
  );
  return <Empty action={isCreatable ? create : undefined}>{t('empty')}</Empty>;
}

function EditingHint(): ReactElement {
  const t = useWords(LIST);
  return (
    <Alert severity="info" icon={false} sx={{ mb: 1, py: 0 }}>
      {t('edit_mode_hint')}
    </Alert>
  );
}

function useColumns(entity: DiscoveredEntity, state: ListState): readonly DiscoveredField[] {
  return useMemo(() => {
    const names = state.columns ?? usualColumns(entity);
    return names.flatMap((name) => entity.fields.find((field) => field.name === name) ?? []);
  }, [entity, state.columns]);
}

/** One request for a page: only what is shown, related records by their titles. */
function useRows(
  discovery: Discovery,
  entity: DiscoveredEntity,
  state: ListState,
  columns: readonly DiscoveredField[],
): ReturnType<typeof useGetList<RaRecord>> {
  const meta = useMemo<ListMeta>(() => {
    const related = entity.relations.flatMap((relation) => {
      const target = discovery.entities.find((candidate) => candidate.name === relation.target);
      const isShown =
        relation.direction === 'forward' && columns.some((field) => field.name === relation.local_field && field.references !== null);
      return isShown && target !== undefined ? [[relation.name, [target.display_field]] as const] : [];
    });
    const states = entity.state_machines.map(({ field }) => field);
    return {
      fields: [...new Set([entity.display_field, ...states, ...columns.map(({ name }) => name)])],
      include: Object.fromEntries(related),
      count: 'estimated',
    };
  }, [discovery, entity, columns]);
  return useGetList<RaRecord>(
    entity.name,
    { pagination: { page: state.page, perPage: state.perPage }, sort: state.sort, filter: filterOf(entity, state), meta },
    { placeholderData: keepPreviousData, retry: false },
  );
}

/** More than this many are changed by imports, not by ticks. */
const MOST_SELECTED = 1000;

interface Picks {
  readonly selection: Selection;
  readonly clear: () => void;
  readonly canSelectAll: (total: number | undefined) => boolean;
  readonly selectAll: (total: number) => Promise<void>;
}

/** What is chosen stays so from page to page, until the list is another one. */
function useSelection(discovery: Discovery, entity: DiscoveredEntity, state: ListState, shown: readonly string[]): Picks {
  const provider = useDataProvider<RecordProvider>();
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const list = JSON.stringify([discovery.app.name, entity.name, filterOf(entity, state)]);
  useEffect(() => setIds(new Set()), [list]);
  const selection = useMemo<Selection>(
    () => ({
      ids,
      toggle: (id) => setIds((before) => toggled(before, [id], !before.has(id))),
      togglePage: () => setIds((before) => toggled(before, shown, !shown.every((id) => before.has(id)))),
    }),
    [ids, shown],
  );
  return {
    selection,
    clear: () => setIds(new Set()),
    canSelectAll: (total) => total !== undefined && total <= MOST_SELECTED && total > ids.size && shown.every((id) => ids.has(id)),
    selectAll: async (total) => {
      const found: string[] = [];
      for (let page = 1; found.length < total; page++) {
        const pagination = { page, perPage: 100 };
        const meta: ListMeta = { fields: entity.primary_key.fields, count: 'none' };
        const { data } = await provider.getList(entity.name, { pagination, sort: state.sort, filter: filterOf(entity, state), meta });
        if (data.length === 0) break;
        found.push(...data.map(({ id }) => String(id)));
      }
      setIds(new Set(found));
    },
  };
}

function toggled(before: ReadonlySet<string>, ids: readonly string[], isOn: boolean): ReadonlySet<string> {
  const next = new Set(before);
  for (const id of ids) {
    if (isOn) next.add(id);
    else next.delete(id);
  }
  return next;
}

/** Over the whole list, not the page. */
function useSums(
  discovery: Discovery,
  entity: DiscoveredEntity,
  state: ListState,
  columns: readonly DiscoveredField[],
  isWanted: boolean,
): Readonly<Record<string, string>> | undefined {
  const numbers = columns.filter(isNumeric).map(({ name }) => name);
  const query = wholeList(entity, filterOf(entity, state));
  query.set('sum', numbers.join(','));
  const path = `${appPath(discovery.app.name)}/${entity.name}/_aggregate?${query}`;
  const { data } = useRead<{ readonly data: readonly Readonly<Record<string, unknown>>[] }>(
    isWanted && numbers.length > 0 ? path : undefined,
  );
  const [row] = data?.data ?? [];
  if (!isWanted || row === undefined) return undefined;
  return Object.fromEntries(numbers.flatMap((name) => (row[`sum_${name}`] === null ? [] : [[name, String(row[`sum_${name}`] as string)]])));
}

function useExport(
  discovery: Discovery,
  entity: DiscoveredEntity,
  state: ListState,
): (kind: FileKind, ids: readonly string[]) => Promise<void> {
  const t = useWords(LIST);
  const say = useSay();
  return async (kind, ids) => {
    say(t('exporting'));
    try {
      await exportList({ discovery, entity, state, ids, kind });
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), 'error');
    }
  };
}

interface ToolbarProps extends ShownProps {
  readonly isEditing: boolean;
  readonly onEditing: ((isEditing: boolean) => void) | undefined;
  readonly hasSums: boolean;
  readonly onSums: ((hasSums: boolean) => void) | undefined;
  readonly onExport: (kind: FileKind) => void;
}

function Toolbar(props: ToolbarProps): ReactElement {
  const { discovery, entity, control } = props;
  const t = useWords(LIST);
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ mb: 1, alignItems: 'center', flexWrap: 'wrap' }}>
      <Search control={control} />
      <AddFilter entity={entity} control={control} />
      <Box sx={{ flex: 1 }} />
      <ColumnsMenu entity={entity} control={control} />
      <ImportButton discovery={discovery} entity={entity} />
      <More {...props} />
      {entity.permissions.create ? (
        <Button component={Link} to="create" variant="contained" size="small" startIcon={<AddOutlined />}>
          {t('new')}
        </Button>
      ) : null}
    </Stack>
  );
}

function Search({ control }: { readonly control: ListControl }): ReactElement {
  const t = useWords(LIST);
  const { state, set } = control;
  const [typed, setTyped] = useState(state.q);
  const settled = useRested(typed, 300);
  // Back, a link or "clear filters" may change it from outside.
  useEffect(() => setTyped(state.q), [state.q]);
  useEffect(() => {
    if (settled !== state.q && settled === typed) set({ q: settled }, false);
    // Only what was typed is sent, and once: what came from the address is there already.
  }, [settled]);
  return (
    <TextField
      size="small"
      type="search"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      placeholder={t('search')}
      sx={{ width: { xs: '100%', sm: 240 } }}
      slotProps={{
        htmlInput: { 'aria-label': t('search'), maxLength: 500 },
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <SearchOutlined fontSize="small" />
            </InputAdornment>
          ),
        },
      }}
    />
  );
}

function More({ isEditing, onEditing, hasSums, onSums, onExport }: ToolbarProps): ReactElement {
  const t = useWords(LIST);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const then = (act: () => void) => (): void => {
    setAnchor(null);
    act();
  };
  return (
    <>
      <Tooltip title={t('more')}>
        <IconButton size="small" aria-label={t('more')} aria-haspopup="menu" onClick={(event) => setAnchor(event.currentTarget)}>
          <MoreVert fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        {onEditing === undefined ? null : (
          <MenuItem onClick={then(() => onEditing(!isEditing))}>{t(isEditing ? 'edit_mode_off' : 'edit_mode')}</MenuItem>
        )}
        {onSums === undefined ? null : <MenuItem onClick={then(() => onSums(!hasSums))}>{t(hasSums ? 'no_totals' : 'totals')}</MenuItem>}
        <MenuItem onClick={then(() => onExport('csv'))}>{t('export_csv')}</MenuItem>
        <MenuItem onClick={then(() => onExport('ndjson'))}>{t('export_ndjson')}</MenuItem>
      </Menu>
    </>
  );
}
