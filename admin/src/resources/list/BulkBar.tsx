/** What can be done with the chosen records. Each is a write of its own: what was refused is told by name, the rest is done. */
import {
  Alert,
  Autocomplete,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  Menu,
  MenuItem,
  Paper,
  Stack,
  TextField,
  Typography,
} from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { useDataProvider, type RaRecord } from 'react-admin';
import { csvText, choiceWord, fromInput, titleOf } from '../../fields/values.ts';
import { ValueInput } from '../../fields/ValueInput.tsx';
import type { DiscoveredEntity, DiscoveredField, DiscoveredMachine, Discovery } from '../../discovery.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import type { BulkAction, BulkResult, RecordProvider } from '../../providers/data-provider.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { useSay } from '../../ui/say.ts';
import { editableFields } from '../shape.ts';
import type { ListState } from './state.ts';
import { LIST } from './words.ts';

interface BulkBarProps {
  readonly discovery: Discovery;
  readonly entity: DiscoveredEntity;
  readonly state: ListState;
  readonly columns: readonly DiscoveredField[];
  readonly ids: readonly string[];
  /** Those of the chosen that are on this page. */
  readonly rows: readonly RaRecord[];
  readonly total: number | undefined;
  readonly onSelectAll: (() => void) | undefined;
  readonly onClear: () => void;
  /** Read the list again. */
  readonly onDone: () => void;
  readonly onExport: (kind: 'csv' | 'ndjson') => void;
}

type Asking = 'change' | 'delete';

export function BulkBar(props: BulkBarProps): ReactElement {
  const { discovery, entity, state, ids, rows, total, columns } = props;
  const t = useWords(LIST);
  const format = useFormat();
  const say = useSay();
  const provider = useDataProvider<RecordProvider>();
  const [asking, setAsking] = useState<Asking>();
  const [results, setResults] = useState<readonly BulkResult[]>();
  const { permissions } = entity;
  const run = async (action: BulkAction, chosen: readonly string[] = ids): Promise<void> => {
    const done = await provider.bulk(entity.name, action, chosen);
    const isClean = done.every(({ error }) => error === undefined);
    if (isClean) {
      say(t('done_bulk', done.length), 'success');
      props.onClear();
    } else setResults(done);
    props.onDone();
  };
  const copy = async (): Promise<void> => {
    const lines = [columns.map(({ label }) => label), ...rows.map((row) => columns.map((field) => csvText(field, row[field.name])))];
    await navigator.clipboard.writeText(lines.map((cells) => cells.join(',')).join('\r\n'));
    say(t('copied'));
  };
  return (
    <Paper
      variant="outlined"
      role="region"
      aria-label={t('selected', ids.length)}
      sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 1, px: 1.5, py: 0.5, mb: 1, borderColor: 'primary.main' }}
    >
      <Typography variant="body2" sx={{ fontWeight: 600 }}>
        {t('selected', ids.length)}
      </Typography>
      {props.onSelectAll === undefined || total === undefined ? null : (
        <Button size="small" onClick={props.onSelectAll}>
          {t('select_all', { count: format.number(total) })}
        </Button>
      )}
      <Box sx={{ flex: 1 }} />
      {state.isTrash ? (
        <Button size="small" onClick={() => void run({ kind: 'restore' })}>
          {t('restore')}
        </Button>
      ) : (
        <>
          {permissions.update ? (
            <>
              <Button size="small" onClick={() => setAsking('change')}>
                {t('change')}
              </Button>
              {entity.state_machines.map((machine) => (
                <Moves
                  key={machine.field}
                  discovery={discovery}
                  machine={machine}
                  rows={rows}
                  isWhole={rows.length === ids.length}
                  onMove={run}
                />
              ))}
            </>
          ) : null}
          {permissions.delete ? (
            <Button size="small" color="error" onClick={() => setAsking('delete')}>
              {t('delete')}
            </Button>
          ) : null}
        </>
      )}
      <Button size="small" onClick={() => props.onExport('csv')}>
        {t('export')}
      </Button>
      {rows.length === ids.length ? (
        <Button size="small" onClick={() => void copy()}>
          {t('copy')}
        </Button>
      ) : null}
      <Button size="small" onClick={props.onClear}>
        {t('unselect')}
      </Button>
      {asking === 'delete' ? (
        <Confirm
          isDestructive
          title={t('delete_title', ids.length)}
          action={t('delete')}
          onConfirm={() => run({ kind: 'delete' })}
          onClose={() => setAsking(undefined)}
        >
          {t(entity.soft_delete ? 'delete_soft' : 'delete_hard')}
        </Confirm>
      ) : null}
      {asking === 'change' ? (
        <ChangeDialog
          entity={entity}
          count={ids.length}
          onChange={(data) => run({ kind: 'update', data })}
          onClose={() => setAsking(undefined)}
        />
      ) : null}
      {results === undefined ? null : <Results entity={entity} rows={rows} results={results} onClose={() => setResults(undefined)} />}
    </Paper>
  );
}

interface MovesProps {
  readonly discovery: Discovery;
  readonly machine: DiscoveredMachine;
  readonly rows: readonly RaRecord[];
  /** All of the chosen are on this page, so their states are known. */
  readonly isWhole: boolean;
  readonly onMove: (action: BulkAction, ids: readonly string[]) => Promise<void>;
}

/** The moves that the machine allows from the states of the chosen records, with how many would take them. */
function Moves({ discovery, machine, rows, isWhole, onMove }: MovesProps): ReactElement | null {
  const t = useWords(LIST);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const moves = movesOf(machine, rows, discovery);
  if (!isWhole) return null;
  return (
    <>
      <Button size="small" aria-haspopup="menu" onClick={(event) => setAnchor(event.currentTarget)}>
        {t('move')}
      </Button>
      <Menu open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        {moves.length === 0 ? <MenuItem disabled>{t('no_moves')}</MenuItem> : null}
        {moves.map(({ to, ids }) => (
          <MenuItem
            key={to}
            onClick={() => {
              setAnchor(null);
              void onMove({ kind: 'update', data: { [machine.field]: to } }, ids);
            }}
          >
            {t('move_to', { state: choiceWord(to), count: ids.length })}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}

function movesOf(
  machine: DiscoveredMachine,
  rows: readonly RaRecord[],
  { user }: Discovery,
): readonly { readonly to: string; readonly ids: readonly string[] }[] {
  const own = new Set(user.roles.map((role) => role.toLowerCase()));
  const ids = new Map<string, string[]>();
  for (const row of rows) {
    for (const { from, to, roles } of machine.transitions) {
      const mayMove = roles.length === 0 || user.is_admin || roles.some((role) => own.has(role.toLowerCase()));
      if (!mayMove || !from.includes(String(row[machine.field] as string))) continue;
      ids.set(to, [...(ids.get(to) ?? []), String(row.id)]);
    }
  }
  return [...ids].map(([to, found]) => ({ to, ids: [...new Set(found)] }));
}

interface ChangeDialogProps {
  readonly entity: DiscoveredEntity;
  readonly count: number;
  readonly onChange: (data: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onClose: () => void;
}

function ChangeDialog({ entity, count, onChange, onClose }: ChangeDialogProps): ReactElement {
  const t = useWords(LIST);
  const id = useId();
  const fields = editableFields(entity).filter((field) => field.type !== 'file' && !field.unique);
  const [field, setField] = useState(fields[0]);
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (): void => {
    if (field === undefined) return;
    onChange({ [field.name]: fromInput(field, typed) }).then(onClose, (error: unknown) =>
      setProblem(error instanceof Error ? error.message : ''),
    );
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="xs">
      <form onSubmit={(event) => (event.preventDefault(), submit())}>
        <DialogTitle id={id}>{t('change_title', count)}</DialogTitle>
        <DialogContent>
          <Stack spacing={2} sx={{ mt: 1 }}>
            {problem === undefined ? null : <Alert severity="error">{problem}</Alert>}
            <Autocomplete
              size="small"
              options={fields}
              value={field}
              disableClearable
              getOptionLabel={(one) => one.label}
              getOptionKey={(one) => one.name}
              onChange={(_, next) => (setField(next), setTyped(''))}
              renderInput={(input) => <TextField {...input} label={t('field')} autoFocus />}
            />
            {field === undefined ? null : (
              <ValueInput
                entity={entity}
                field={field}
                label={t('set_to')}
                value={typed}
                onChange={setTyped}
                isMultiline={field.type === 'text'}
                {...(field.required ? {} : { helperText: t('set_empty') })}
              />
            )}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={field === undefined || (field.required && typed === '')}>
            {t('save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface ResultsProps {
  readonly entity: DiscoveredEntity;
  readonly rows: readonly RaRecord[];
  readonly results: readonly BulkResult[];
  readonly onClose: () => void;
}

/** What was refused, and why, once some were. */
function Results({ entity, rows, results, onClose }: ResultsProps): ReactElement {
  const t = useWords(LIST);
  const id = useId();
  const [titles] = useState(() => new Map(rows.map((row) => [String(row.id), titleOf(row, entity.display_field)])));
  const refused = results.filter(({ error }) => error !== undefined);
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <DialogTitle id={id}>{t('refused_bulk', refused.length)}</DialogTitle>
      <DialogContent>
        {results.length === refused.length ? null : (
          <Alert severity="success" sx={{ mb: 2 }}>
            {t('done_bulk', results.length - refused.length)}
          </Alert>
        )}
        <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
          {refused.slice(0, 100).map((result) => (
            <li key={result.id}>
              <strong dir="auto">{titles.get(String(result.id)) ?? result.id}</strong>: {result.error?.message}
            </li>
          ))}
        </Box>
      </DialogContent>
      <DialogActions>
        <Button autoFocus onClick={onClose}>
          {t('close')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
