import {
  Alert,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControlLabel,
  Radio,
  RadioGroup,
  Typography,
} from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import type { RaRecord } from 'react-admin';
import { useRead } from '../../api/use-api.ts';
import { FieldValue } from '../../fields/FieldValue.tsx';
import { useWords } from '../../i18n/words.ts';
import { Time } from '../../ui/Time.tsx';
import { recordPath } from '../record/path.ts';
import type { ChangeEntry } from '../record/timeline.ts';
import { editableFields, visibleFields, type EntityProps } from '../shape.ts';
import { differences, usualChoice, type Choice, type Difference } from './conflict.ts';
import { isSame, type Row } from './rows.ts';
import { FORM } from './words.ts';

interface ConflictProps extends EntityProps {
  /** What both began with. */
  readonly base: RaRecord;
  /** The record as somebody else has left it. */
  readonly theirs: RaRecord;
  readonly mine: Row;
  readonly onSave: (values: Row) => void;
  readonly onClose: () => void;
}

/** Field by field what was, what somebody else made of it, and what is typed here; what counts is chosen and saved again. */
export function Conflict({ discovery, entity, base, theirs, mine, onSave, onClose }: ConflictProps): ReactElement {
  const t = useWords(FORM);
  const id = useId();
  const mayChoose = editableFields(entity);
  const found = differences(mayChoose, base, theirs, mine);
  const besides = visibleFields(entity).filter(
    (field) => !mayChoose.includes(field) && !field.auto && !isSame(base[field.name], theirs[field.name]),
  );
  const [chosen, setChosen] = useState<Readonly<Record<string, Choice>>>({});
  const choiceOf = (difference: Difference): Choice => chosen[difference.field.name] ?? usualChoice(difference);
  const save = (): void => onSave(Object.fromEntries(found.map((one) => [one.field.name, one[choiceOf(one)]])));
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>{t('conflict_title')}</DialogTitle>
      <DialogContent>
        <Alert severity="info" sx={{ mb: 2 }}>
          <ChangedBy path={recordPath(discovery, entity, base.id)} /> {t('conflict_help')}
        </Alert>
        {found.map((difference) => (
          <Chooser
            key={difference.field.name}
            entity={entity}
            difference={difference}
            choice={choiceOf(difference)}
            onChoose={(choice) => setChosen({ ...chosen, [difference.field.name]: choice })}
          />
        ))}
        {besides.length === 0 ? null : (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {t('also_changed')}: {besides.map(({ label }) => label).join(', ')}
          </Typography>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('back_to_form')}</Button>
        <Button variant="contained" onClick={save}>
          {t('save_choice')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** Who it was, once that is known: the dialog does not wait for it. */
function ChangedBy({ path }: { readonly path: string }): ReactElement | null {
  const t = useWords(FORM);
  const { data } = useRead<{ readonly data: readonly ChangeEntry[] }>(`${path}/_timeline?types=change,transition&limit=1`);
  const last = data?.data[0];
  const who = last?.actor?.name;
  if (last === undefined || who === undefined || who === null) return null;
  return (
    <>
      {t('conflict_by', { who })} <Time at={last.at} as="ago" />.
    </>
  );
}

interface ChooserProps extends Pick<EntityProps, 'entity'> {
  readonly difference: Difference;
  readonly choice: Choice;
  readonly onChoose: (choice: Choice) => void;
}

const CHOICES: readonly Choice[] = ['theirs', 'mine'];

function Chooser({ entity, difference, choice, onChoose }: ChooserProps): ReactElement {
  const t = useWords(FORM);
  const id = useId();
  const { field, kind } = difference;
  const shown = (value: unknown): ReactElement => (
    <Box dir="auto" sx={{ overflowWrap: 'anywhere', maxHeight: 160, overflow: 'auto' }}>
      <FieldValue entity={entity} field={field} value={value} place="record" />
    </Box>
  );
  return (
    <Box sx={{ mb: 2, pb: 2, borderBottom: 1, borderColor: 'divider' }}>
      <Typography id={id} component="h3" sx={{ fontWeight: 600 }}>
        {field.label}{' '}
        <Typography component="span" variant="body2" sx={{ color: kind === 'both' ? 'warning.main' : 'text.secondary' }}>
          {t(kind)}
        </Typography>
      </Typography>
      <RadioGroup
        aria-labelledby={id}
        value={choice}
        onChange={(event) => onChoose(event.target.value as Choice)}
        sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: 'repeat(3, minmax(0, 1fr))' } }}
      >
        <Box>
          <Typography variant="body2" sx={{ color: 'text.secondary', lineHeight: '38px' }}>
            {t('before')}
          </Typography>
          {shown(difference.base)}
        </Box>
        {CHOICES.map((one) => (
          <Box key={one}>
            <FormControlLabel value={one} control={<Radio size="small" />} label={t(one)} />
            {shown(difference[one])}
          </Box>
        ))}
      </RadioGroup>
    </Box>
  );
}
