import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Autocomplete, Box, Button, IconButton, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { CONDITION_OPERATORS } from './operators.ts';
import type { Discovery } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { valuesOf } from '../../expressions/scope.ts';
import { readValue, valueText, type Condition, type Permission } from './permission.ts';
import { PERMISSIONS } from './words.ts';

const CALLER = ['$user.id', '$user.email', '$user.roles', '$now', '$now-7d'];
const WITHOUT_VALUE: readonly string[] = ['is_null', 'not_null', 'is_empty'];

interface ConditionRowsProps {
  readonly entity: string;
  readonly conditions: readonly Condition[];
  readonly onChange: (conditions: readonly Condition[]) => void;
}

/** Which records: each line one condition, all of them must hold. */
export function ConditionRows({ entity, conditions, onChange }: ConditionRowsProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const paths = useMemo(() => pathsOf(discovery, entity), [discovery, entity]);
  const set = (at: number, part: Partial<Condition>): void =>
    onChange(conditions.map((each, index) => (index === at ? { ...each, ...part } : each)));
  return (
    <Stack spacing={1.5} role="group" aria-label={t('rows_heading')}>
      <Box>
        <Typography component="h3" variant="body2" sx={{ fontWeight: 500 }}>
          {t('rows_heading')}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('rows_hint')}
        </Typography>
      </Box>
      {conditions.map((condition, index) => (
        <Box
          key={index}
          sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: '2fr 1.4fr 2fr 40px' }, alignItems: 'start' }}
        >
          <Autocomplete
            freeSolo
            size="small"
            options={paths}
            value={condition.field}
            inputValue={condition.field}
            onInputChange={(_, field) => set(index, { field })}
            renderInput={(params) => <TextField {...params} label={t('condition_field')} />}
          />
          <TextField
            select
            size="small"
            label={t('condition_operator')}
            value={condition.operator}
            onChange={(event) => set(index, { operator: event.target.value as Condition['operator'] })}
          >
            {CONDITION_OPERATORS.map((operator) => (
              <MenuItem key={operator} value={operator}>
                {t(`cond_${operator}`)}
              </MenuItem>
            ))}
          </TextField>
          {WITHOUT_VALUE.includes(condition.operator) ? (
            <span />
          ) : (
            <Autocomplete
              freeSolo
              size="small"
              options={[...CALLER, ...knownValues(discovery, entity, condition.field)]}
              value={valueText(condition.value)}
              inputValue={valueText(condition.value)}
              onInputChange={(_, typed) => set(index, { value: readValue(typed) })}
              renderInput={(params) => (
                <TextField {...params} label={t('condition_value')} helperText={index === 0 ? t('condition_value_hint') : undefined} />
              )}
            />
          )}
          <IconButton
            aria-label={`${t('remove_condition')}: ${condition.field}`}
            onClick={() => onChange(conditions.filter((_, at) => at !== index))}
          >
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Box>
      ))}
      <Button
        size="small"
        variant="outlined"
        sx={{ alignSelf: 'start' }}
        onClick={() => onChange([...conditions, { field: '', operator: 'eq' }])}
      >
        {t('add_condition')}
      </Button>
    </Stack>
  );
}

/** Its fields, and those of the records it belongs to; deeper paths are typed. */
function pathsOf(discovery: Discovery, name: string): string[] {
  const entity = entityNamed(discovery, name);
  if (entity === undefined) return [];
  const further = entity.relations
    .filter(({ cardinality }) => cardinality === 'one')
    .flatMap((relation) =>
      (entityNamed(discovery, relation.target)?.fields ?? []).map((field) => `${relation.names[0] ?? relation.name}.${field.name}`),
    );
  return [...entity.fields.map((field) => field.name), ...further];
}

function knownValues(discovery: Discovery, name: string, path: string): string[] {
  const entity = entityNamed(discovery, name);
  const field = entity?.fields.find((each) => each.name === path);
  return entity === undefined || field === undefined ? [] : valuesOf(entity, field).map(String);
}

interface PresetRowsProps {
  readonly entity: string;
  readonly presets: NonNullable<Permission['presets']>;
  readonly onChange: (presets: NonNullable<Permission['presets']>) => void;
}

/** Values that stand in every record this caller creates. */
export function PresetRows({ entity, presets, onChange }: PresetRowsProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const names = entityNamed(discovery, entity)?.fields.map(({ name }) => name) ?? [];
  const entries = Object.entries(presets);
  const free = names.find((name) => !(name in presets));
  const replace = (at: number, entry: readonly [string, unknown]): void =>
    onChange(Object.fromEntries(entries.map((each, index) => (index === at ? entry : each))) as NonNullable<Permission['presets']>);
  return (
    <Stack spacing={1.5} role="group" aria-label={t('presets')}>
      <Box>
        <Typography component="h3" variant="body2" sx={{ fontWeight: 500 }}>
          {t('presets')}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('presets_hint')}
        </Typography>
      </Box>
      {entries.map(([name, value], index) => (
        <Box key={index} sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr 40px' } }}>
          <TextField
            select
            size="small"
            label={t('preset_field')}
            value={name}
            onChange={(event) => replace(index, [event.target.value, value])}
          >
            {[name, ...names.filter((each) => !(each in presets))].map((each) => (
              <MenuItem key={each} value={each}>
                {each}
              </MenuItem>
            ))}
          </TextField>
          <Autocomplete
            freeSolo
            size="small"
            options={CALLER.slice(0, 2).concat('$now')}
            value={valueText(value)}
            inputValue={valueText(value)}
            onInputChange={(_, typed) => replace(index, [name, readValue(typed) ?? null])}
            renderInput={(params) => <TextField {...params} label={t('preset_value')} />}
          />
          <IconButton
            aria-label={`${t('remove_preset')}: ${name}`}
            onClick={() => onChange(Object.fromEntries(entries.filter((_, at) => at !== index)) as NonNullable<Permission['presets']>)}
          >
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Box>
      ))}
      {free === undefined ? null : (
        <Button size="small" variant="outlined" sx={{ alignSelf: 'start' }} onClick={() => onChange({ ...presets, [free]: null })}>
          {t('add_preset')}
        </Button>
      )}
    </Stack>
  );
}
