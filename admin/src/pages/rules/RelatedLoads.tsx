import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Button, IconButton, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { errorAt } from '../../definitions/definitions.ts';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { readObject } from '../../ui/json.ts';
import type { RelatedLoad } from './rule.ts';
import { RULES } from './words.ts';

interface RelatedLoadsProps {
  readonly entity: DiscoveredEntity;
  readonly loads: readonly RelatedLoad[];
  readonly onChange: (loads: readonly RelatedLoad[]) => void;
  readonly error: unknown;
}

/** The relations whose live records a rule reads, each narrowed by a filter. */
export function RelatedLoads({ entity, loads, onChange, error }: RelatedLoadsProps): ReactElement | null {
  const t = useWords(RULES);
  const names = entity.relations.map((relation) => relation.names[0] ?? relation.name);
  if (names.length === 0) return null;
  const free = names.find((name) => !loads.some(({ relation }) => relation === name));
  return (
    <Stack spacing={1} role="group" aria-label={t('related')}>
      <Typography variant="body2" sx={{ fontWeight: 500 }}>
        {t('related')}
      </Typography>
      {loads.map((load, index) => (
        <Load
          key={load.relation}
          load={load}
          names={[load.relation, ...names.filter((name) => !loads.some(({ relation }) => relation === name))]}
          error={errorAt(error, `related_load.${index}.relation`) ?? errorAt(error, `related_load.${index}.filter`)}
          onChange={(next) => onChange(loads.map((each) => (each === load ? next : each)))}
          onRemove={() => onChange(loads.filter((each) => each !== load))}
        />
      ))}
      {free === undefined ? null : (
        <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
          <Button size="small" variant="outlined" onClick={() => onChange([...loads, { relation: free, filter: {} }])}>
            {t('add_related')}
          </Button>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {t('related_hint')}
          </Typography>
        </Stack>
      )}
    </Stack>
  );
}

interface LoadProps {
  readonly load: RelatedLoad;
  readonly names: readonly string[];
  readonly error: string | undefined;
  readonly onChange: (load: RelatedLoad) => void;
  readonly onRemove: () => void;
}

function Load({ load, names, error, onChange, onRemove }: LoadProps): ReactElement {
  const t = useWords(RULES);
  const [text, setText] = useState(() => (Object.keys(load.filter).length === 0 ? '' : JSON.stringify(load.filter)));
  const isBroken = text.trim() !== '' && readObject(text) === undefined;
  const take = (typed: string): void => {
    setText(typed);
    const read = typed.trim() === '' ? {} : readObject(typed);
    if (read !== undefined) onChange({ ...load, filter: read as RelatedLoad['filter'] });
  };
  return (
    <Stack direction={{ xs: 'column', sm: 'row' }} spacing={1}>
      <TextField
        select
        size="small"
        label={t('relation')}
        value={load.relation}
        onChange={(event) => onChange({ ...load, relation: event.target.value })}
        sx={{ minWidth: 160 }}
      >
        {names.map((name) => (
          <MenuItem key={name} value={name}>
            {name}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        size="small"
        fullWidth
        label={t('filter')}
        value={text}
        onChange={(event) => take(event.target.value)}
        error={isBroken || error !== undefined}
        helperText={error ?? (isBroken ? t('filter_broken') : t('filter_hint'))}
      />
      <IconButton aria-label={`${t('remove')}: ${load.relation}`} onClick={onRemove} sx={{ alignSelf: 'start' }}>
        <DeleteOutlined fontSize="small" />
      </IconButton>
    </Stack>
  );
}
