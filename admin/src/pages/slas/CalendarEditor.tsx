import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Alert, Autocomplete, Box, Button, FormControlLabel, IconButton, Stack, Switch, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useParams } from 'react-router-dom';
import { DefinitionForm } from '../../definitions/DefinitionForm.tsx';
import { errorAt, useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { calendarBodyOf, calendarDraftOf, DAYS, emptyCalendar, type Calendar, type CalendarDraft, type HolidayDraft } from './sla.ts';
import { SLAS } from './words.ts';

export function CalendarEditor(): ReactElement {
  const t = useWords(SLAS);
  const { id } = useParams();
  const calendars = useDefinitions<Calendar>('calendars');
  const stored = calendars.data?.data.find((calendar) => calendar.id === id);
  return (
    <Page title={t(id === undefined ? 'new_calendar' : 'edit_calendar')} width="form">
      <Problem error={calendars.error} onRetry={() => void calendars.refetch()} />
      {calendars.isPending ? <Loading lines={8} /> : null}
      {calendars.data === undefined ? null : id !== undefined && stored === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <Editor key={id} stored={stored} version={calendars.data.meta.schema_version} />
      )}
    </Page>
  );
}

function Editor({ stored, version }: { readonly stored: Listed<Calendar> | undefined; readonly version: number }): ReactElement {
  const t = useWords(SLAS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_slas`;
  const [draft, setDraft] = useState(() => (stored === undefined ? emptyCalendar() : calendarDraftOf(stored)));
  return (
    <DefinitionForm
      section="calendars"
      stored={stored}
      version={version}
      body={calendarBodyOf(draft)}
      isReady={draft.name.trim() !== ''}
      label={t(stored === undefined ? 'new_calendar' : 'edit_calendar')}
      save={t('save_calendar')}
      cancel={t('cancel')}
      from={base}
    >
      {(error) => <Form draft={draft} onChange={setDraft} error={error} />}
    </DefinitionForm>
  );
}

interface FormProps {
  readonly draft: CalendarDraft;
  readonly onChange: (draft: CalendarDraft) => void;
  readonly error: unknown;
}

const ZONES = Intl.supportedValuesOf('timeZone');

function Form({ draft, onChange, error }: FormProps): ReactElement {
  const t = useWords(SLAS);
  const set = (part: Partial<CalendarDraft>): void => onChange({ ...draft, ...part });
  return (
    <Stack spacing={2}>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
        <TextField
          size="small"
          required
          label={t('name')}
          value={draft.name}
          onChange={(event) => set({ name: event.target.value })}
          error={errorAt(error, 'name') !== undefined}
          helperText={errorAt(error, 'name')}
        />
        <Autocomplete
          freeSolo
          size="small"
          options={ZONES}
          value={draft.timezone}
          inputValue={draft.timezone}
          onInputChange={(_, timezone) => set({ timezone })}
          renderInput={(params) => (
            <TextField
              {...params}
              label={t('timezone')}
              error={errorAt(error, 'timezone') !== undefined}
              helperText={errorAt(error, 'timezone') ?? t('timezone_hint')}
            />
          )}
        />
      </Box>
      <TextField
        size="small"
        label={t('describe')}
        value={draft.description}
        onChange={(event) => set({ description: event.target.value })}
        multiline
      />
      <Typography component="h2" variant="body2" sx={{ fontWeight: 600 }}>
        {t('week')}
      </Typography>
      <FormControlLabel
        control={<Switch size="small" checked={!draft.hasWeek} onChange={(event) => set({ hasWeek: !event.target.checked })} />}
        label={t('open_always')}
      />
      {draft.hasWeek ? (
        <>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {t('week_hint')}
          </Typography>
          <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' } }}>
            {DAYS.map((day) => (
              <TextField
                key={day}
                size="small"
                label={t(day)}
                placeholder={t('closed')}
                value={draft.week[day]}
                onChange={(event) => set({ week: { ...draft.week, [day]: event.target.value } })}
                error={errorAt(error, `week.${day}`) !== undefined}
                slotProps={{ inputLabel: { shrink: true } }}
              />
            ))}
          </Box>
        </>
      ) : null}
      <Holidays holidays={draft.holidays} onChange={(holidays) => set({ holidays })} />
    </Stack>
  );
}

interface HolidaysProps {
  readonly holidays: readonly HolidayDraft[];
  readonly onChange: (holidays: readonly HolidayDraft[]) => void;
}

const PARTS = ['day', 'to', 'name', 'hours'] as const;

function Holidays({ holidays, onChange }: HolidaysProps): ReactElement {
  const t = useWords(SLAS);
  const put = (at: number, part: Partial<HolidayDraft>): void =>
    onChange(holidays.map((each, index) => (index === at ? { ...each, ...part } : each)));
  return (
    <Stack spacing={1.5} role="group" aria-label={t('holidays')}>
      <Typography component="h2" variant="body2" sx={{ fontWeight: 600 }}>
        {t('holidays')}
      </Typography>
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('holidays_hint')}
      </Typography>
      {holidays.map((holiday, index) => (
        <Box key={index} sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr 1fr', sm: '1.2fr 1.2fr 2fr 2fr 40px' } }}>
          {PARTS.map((part) => (
            <TextField
              key={part}
              size="small"
              label={t(`holiday_${part}`)}
              value={holiday[part]}
              onChange={(event) => put(index, { [part]: event.target.value })}
            />
          ))}
          <IconButton
            aria-label={`${t('remove_holiday')}: ${holiday.name === '' ? holiday.day : holiday.name}`}
            onClick={() => onChange(holidays.filter((_, at) => at !== index))}
          >
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Box>
      ))}
      <Button
        size="small"
        variant="outlined"
        sx={{ alignSelf: 'start' }}
        onClick={() => onChange([...holidays, { name: '', day: '', to: '', hours: '' }])}
      >
        {t('add_holiday')}
      </Button>
    </Stack>
  );
}
