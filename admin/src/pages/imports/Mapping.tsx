/** Which column goes where: suggested by the API, chosen here, and looked at again. */
import { Button, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import type { Import } from '../../../../client/client.ts';
import { useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { targetsOf, type TargetChoice } from './import.ts';
import { IMPORTS } from './words.ts';

type Chosen = Import['mapping'];
const NOWHERE = '';
const SHOWN = 3;
const MOST = 60;

export function Mapping({ of, path }: { readonly of: Import; readonly path: string }): ReactElement | null {
  const t = useWords(IMPORTS);
  const discovery = useDiscovery();
  const send = useSend();
  const [chosen, setChosen] = useState<Chosen>(of.mapping);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const entity = entityNamed(discovery, of.entity);
  if (entity === undefined) return null;
  const targets = targetsOf(discovery, entity, of.options.mode !== 'create');
  const taken = new Set(Object.values(chosen).map((text) => (text ?? '').split('.')[0]));
  const check = (): void => {
    setBusy(true);
    setError(undefined);
    send('POST', `${path}/check`, { mapping: chosen })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  const columns: readonly Column<string>[] = [
    { key: 'column', label: t('column'), cell: (column) => <strong>{column}</strong> },
    { key: 'sample', label: t('sample'), cell: (column) => samplesOf(of, column) },
    {
      key: 'field',
      label: t('field'),
      width: '40%',
      cell: (column) => (
        <Choice
          label={t('field_of', { column })}
          value={chosen[column] ?? NOWHERE}
          targets={targets}
          taken={taken}
          onChange={(value) => setChosen({ ...chosen, [column]: value === NOWHERE ? null : value })}
        />
      ),
    },
  ];
  const isChanged = of.columns.some((column) => (chosen[column] ?? null) !== (of.mapping[column] ?? null));
  return (
    <Stack component="section" aria-label={t('mapping')} spacing={1}>
      <Typography variant="h6" component="h2">
        {t('mapping')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('mapping_help')}
      </Typography>
      <Problem error={error} />
      <Rows label={t('mapping')} columns={columns} rows={of.columns} keyOf={(column) => column} />
      <div>
        <Button variant={isChanged ? 'contained' : 'outlined'} disabled={isBusy} onClick={check}>
          {t('check')}
        </Button>
      </div>
    </Stack>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly targets: readonly TargetChoice[];
  /** Fields that a column goes to already. */
  readonly taken: ReadonlySet<string | undefined>;
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, targets, taken, onChange }: ChoiceProps): ReactElement {
  const t = useWords(IMPORTS);
  const isKnown = value === NOWHERE || targets.some((target) => target.value === value);
  const isFree = (target: TargetChoice): boolean => target.value === value || !taken.has(target.value.split('.')[0]);
  return (
    <TextField
      select
      fullWidth
      size="small"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ select: { displayEmpty: true, SelectDisplayProps: { 'aria-label': label } } }}
    >
      <MenuItem value={NOWHERE}>{t('nowhere')}</MenuItem>
      {isKnown ? null : <MenuItem value={value}>{value}</MenuItem>}
      {targets.filter(isFree).map((target) => (
        <MenuItem key={target.value} value={target.value}>
          {target.by === undefined ? target.label : t('by', { field: target.label, other: target.by })}
        </MenuItem>
      ))}
    </TextField>
  );
}

/** The first cells of a column, to see what it holds. */
function samplesOf({ format, columns, samples }: Import, column: string): string {
  const at = columns.indexOf(column);
  const cells = samples.map((row) => (format === 'csv' ? row[at] : (row[0] as Readonly<Record<string, unknown>> | undefined)?.[column]));
  const told = cells
    .filter((cell) => cell !== null && cell !== undefined && cell !== '')
    .map((cell) => (typeof cell === 'string' ? cell : JSON.stringify(cell)));
  return told.length === 0
    ? '–'
    : told
        .slice(0, SHOWN)
        .map((cell) => cell.slice(0, MOST))
        .join(' · ');
}
