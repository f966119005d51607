/** An approval: who is asked in which order, how many must agree, and the ladder of reminders and escalations while nobody decides. */
import { Autocomplete, Box, MenuItem, Stack, TextField, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Assignees } from './Assignees.tsx';
import { useBuilder } from './builder.ts';
import { APPROVAL_PARTS, ESCALATION_PARTS, MAIL_PARTS, REMINDER_PARTS } from './parts.ts';
import { Parts } from './Parts.tsx';
import { RawList } from './RawList.tsx';
import { isRaw, rawsOf, textOf, withPart, type Raw, type Step } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface FormProps {
  readonly step: Step;
  readonly path: string;
  readonly onChange: (step: Step) => void;
}

export function ApprovalForm(props: FormProps): ReactElement {
  const { step, path, onChange } = props;
  return (
    <Stack spacing={2.5}>
      <Asked {...props} />
      <Parts parts={APPROVAL_PARTS} value={step} path={path} onChange={onChange} />
      <CommentRequired {...props} />
      <Ladder {...props} />
      <Mails {...props} />
    </Stack>
  );
}

/** Together, or in groups that all have to be met. */
function Asked({ step, path, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const groups = rawsOf(step['groups']);
  const isGrouped = step['groups'] !== undefined;
  const group = (value: string | null): void => {
    if (value === null || (value === 'groups') === isGrouped) return;
    const { assignee, quorum, groups: _groups, order: _order, ...rest } = step;
    const named = { ...(assignee === undefined ? {} : { assignee }), ...(quorum === undefined ? {} : { quorum }) };
    onChange((isGrouped ? { ...rest, ...withoutName(groups[0]) } : { ...rest, groups: [named] }) as Step);
  };
  return (
    <Stack spacing={1.5}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={isGrouped ? 'groups' : 'together'}
        aria-label={t('asked')}
        onChange={(_, value: string | null) => group(value)}
      >
        <ToggleButton value="together">{t('asked_together')}</ToggleButton>
        <ToggleButton value="groups">{t('asked_groups')}</ToggleButton>
      </ToggleButtonGroup>
      {isGrouped ? (
        <>
          <Parts
            parts={[{ key: 'order', kind: 'choice', options: ['parallel', 'sequence'], usual: 'parallel' }]}
            value={step}
            path={path}
            onChange={onChange}
          />
          <RawList
            label={t('groups')}
            hint={t('groups_hint')}
            items={groups}
            fresh={{}}
            add={t('add_group')}
            onChange={(next) => onChange(withPart(step, 'groups', next.length === 0 ? undefined : next))}
          >
            {(one, onOne, at) => (
              <Stack spacing={1.5}>
                <Parts
                  parts={[{ key: 'name', kind: 'text' }]}
                  value={one}
                  path={`${path}.groups.${at}`}
                  suffix={` (${at + 1})`}
                  onChange={onOne}
                />
                <Vote of={one} path={`${path}.groups.${at}`} suffix={` (${at + 1})`} onChange={onOne} />
              </Stack>
            )}
          </RawList>
        </>
      ) : (
        <Vote of={step} path={path} suffix="" onChange={(next) => onChange(next as Step)} />
      )}
    </Stack>
  );
}

const withoutName = (group: Raw | undefined): Raw => {
  const { name: _name, ...rest } = group ?? {};
  return rest;
};

interface VoteProps {
  readonly of: Raw;
  readonly path: string;
  readonly suffix: string;
  readonly onChange: (of: Raw) => void;
}

/** Who, and how many of them. */
function Vote({ of, path, suffix, onChange }: VoteProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { errorAt } = useBuilder();
  const error = errorAt(`${path}.quorum`);
  return (
    <Stack spacing={1.5}>
      <Assignees
        label={`${t('asked_who')}${suffix}`}
        value={of['assignee']}
        path={`${path}.assignee`}
        onChange={(assignee) => onChange(withPart(of, 'assignee', assignee))}
      />
      <Autocomplete
        freeSolo
        size="small"
        options={['any', 'all', '2']}
        inputValue={textOf(of['quorum'])}
        onInputChange={(_, typed) => onChange(withPart(of, 'quorum', /^\d+$/.test(typed) ? Number(typed) : typed))}
        renderInput={(params) => (
          <TextField {...params} label={`${t('quorum')}${suffix}`} error={error !== undefined} helperText={error ?? t('quorum_hint')} />
        )}
        sx={{ maxWidth: 320 }}
      />
    </Stack>
  );
}

const DECISIONS = ['approve', 'reject', 'send_back'] as const;

function CommentRequired({ step, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const given = step['comment_required'];
  const chosen = given === true ? DECISIONS : DECISIONS.filter((one) => Array.isArray(given) && given.includes(one));
  return (
    <Autocomplete
      multiple
      disableCloseOnSelect
      size="small"
      options={DECISIONS}
      value={[...chosen]}
      getOptionLabel={(one) => t(`decision_${one}`)}
      onChange={(_, next) => onChange(withPart(step, 'comment_required', next.length === DECISIONS.length ? true : next))}
      renderInput={(params) => <TextField {...params} label={t('comment_required')} />}
    />
  );
}

function Ladder({ step, path, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  return (
    <>
      <RawList
        label={t('reminders')}
        hint={t('reminders_hint')}
        items={rawsOf(step['reminders'])}
        fresh={{ after: '1d' }}
        add={t('add_reminder')}
        onChange={(reminders) => onChange(withPart(step, 'reminders', reminders))}
      >
        {(one, onOne, at) => (
          <Parts
            parts={REMINDER_PARTS}
            value={one}
            path={`${path}.reminders.${at}`}
            suffix={` (${t('reminder')} ${at + 1})`}
            onChange={onOne}
          />
        )}
      </RawList>
      <RawList
        label={t('escalations')}
        hint={t('escalations_hint')}
        items={rawsOf(step['escalate'])}
        fresh={{ after: '3d' }}
        add={t('add_escalation')}
        onChange={(escalate) => onChange(withPart(step, 'escalate', escalate))}
      >
        {(one, onOne, at) => (
          <Stack spacing={1.5}>
            <Parts
              parts={ESCALATION_PARTS}
              value={one}
              path={`${path}.escalate.${at}`}
              suffix={` (${t('escalation')} ${at + 1})`}
              onChange={onOne}
            />
            <Assignees
              label={t('escalation_to', { at: at + 1 })}
              value={one['to']}
              path={`${path}.escalate.${at}.to`}
              onChange={(to) => onOne(withPart(one, 'to', to))}
            />
          </Stack>
        )}
      </RawList>
    </>
  );
}

const NOTICES = ['assigned', 'reminder', 'escalation', 'delegation', 'outcome'] as const;

/** The usual mails, none, or words of one's own. */
function Mails({ step, path, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const mail = step['mail'];
  const own = isRaw(mail) ? mail : {};
  const way = mail === false ? 'none' : isRaw(mail) ? 'own' : 'usual';
  const choose = (next: string): void => onChange(withPart(step, 'mail', next === 'none' ? false : next === 'own' ? own : undefined));
  return (
    <Stack spacing={1.5}>
      <TextField select size="small" label={t('mails')} value={way} onChange={(event) => choose(event.target.value)} sx={{ maxWidth: 320 }}>
        {(['usual', 'own', 'none'] as const).map((one) => (
          <MenuItem key={one} value={one}>
            {t(`mails_${one}`)}
          </MenuItem>
        ))}
      </TextField>
      {way === 'own'
        ? NOTICES.map((notice) => (
            <Box key={notice} role="group" aria-label={t(`notice_${notice}`)}>
              <Typography variant="body2" sx={{ fontWeight: 500, mb: 1 }}>
                {t(`notice_${notice}`)}
              </Typography>
              <Parts
                parts={MAIL_PARTS}
                value={isRaw(own[notice]) ? own[notice] : {}}
                path={`${path}.mail.${notice}`}
                suffix={` (${t(`notice_${notice}`)})`}
                onChange={(words) =>
                  onChange({ ...step, mail: withPart(own, notice, Object.keys(words).length === 0 ? undefined : words) })
                }
              />
            </Box>
          ))
        : null}
    </Stack>
  );
}
