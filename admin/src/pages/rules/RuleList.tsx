import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import { Box, Button, IconButton, Link, MenuItem, Stack, Switch, TextField, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To, useSearchParams } from 'react-router-dom';
import { useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { Saved } from '../../definitions/Saved.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { sentenceOf, type Rule, type RuleTell } from './rule.ts';
import { RULES } from './words.ts';

export function RuleList(): ReactElement {
  const t = useWords(RULES);
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}/_rules`;
  const [search, setSearch] = useSearchParams();
  const entity = search.get('entity') ?? '';
  const rules = useDefinitions<Rule>('rules');
  const all = rules.data?.data ?? [];
  const shown = all.filter((rule) => entity === '' || rule.entity === entity);
  const add = (
    <Button variant="contained" component={To} to={`${base}/new${entity === '' ? '' : `?entity=${entity}`}`}>
      {t('new')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={discovery.entities.length === 0 ? undefined : add}>
      <Saved />
      <Problem error={rules.error} onRetry={() => void rules.refetch()} />
      {rules.isPending ? <Loading /> : null}
      {discovery.entities.length === 0 ? <Empty>{t('no_entities')}</Empty> : null}
      {rules.data === undefined || discovery.entities.length === 0 ? null : (
        <Stack spacing={2}>
          <TextField
            select
            size="small"
            label={t('entity')}
            value={entity}
            onChange={(event) => setSearch(event.target.value === '' ? {} : { entity: event.target.value }, { replace: true })}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
            sx={{ width: { xs: '100%', sm: 260 } }}
          >
            <MenuItem value="">{t('all_entities')}</MenuItem>
            {discovery.entities.map(({ name, label }) => (
              <MenuItem key={name} value={name}>
                {label}
              </MenuItem>
            ))}
          </TextField>
          {shown.length === 0 ? (
            <Empty action={add}>{t(entity === '' ? 'none' : 'none_here')}</Empty>
          ) : (
            <Groups rules={shown} base={base} />
          )}
        </Stack>
      )}
    </Page>
  );
}

/** Entity by entity, each in the order in which its rules run. */
function Groups({ rules, base }: { readonly rules: readonly Listed<Rule>[]; readonly base: string }): ReactElement {
  const t = useWords(RULES);
  const discovery = useDiscovery();
  const entities = [...new Set(rules.map(({ entity }) => entity))].sort();
  return (
    <>
      {entities.map((entity) => (
        <Box key={entity} component="section" aria-label={entity}>
          <Stack direction="row" sx={{ justifyContent: 'space-between', alignItems: 'center', mb: 0.5 }}>
            <Typography component="h2" variant="h6">
              {entityNamed(discovery, entity)?.label ?? entity}
            </Typography>
            <Button size="small" component={To} to={`${base}/try/${entity}`}>
              {t('try_rules')}
            </Button>
          </Stack>
          <RuleRows base={base} label={entityNamed(discovery, entity)?.label ?? entity} rules={inOrder(rules, entity)} />
        </Box>
      ))}
    </>
  );
}

const KINDS: readonly Rule['type'][] = ['field', 'expression', 'computed'];

const inOrder = (rules: readonly Listed<Rule>[], entity: string): readonly Listed<Rule>[] =>
  rules.filter((rule) => rule.entity === entity).sort((a, b) => KINDS.indexOf(a.type) - KINDS.indexOf(b.type) || a.priority - b.priority);

interface RuleRowsProps {
  readonly rules: readonly Listed<Rule>[];
  readonly base: string;
  readonly label: string;
}

function RuleRows({ rules, base, label }: RuleRowsProps): ReactElement {
  const t = useWords(RULES);
  const { change, remove } = useWrites<Rule>('rules');
  const [error, setError] = useState<unknown>();
  const [asked, setAsked] = useState<Listed<Rule> | undefined>();
  const turn = (rule: Listed<Rule>): void => {
    setError(undefined);
    change(rule.id, { active: !rule.active }).catch(setError);
  };
  return (
    <>
      <Problem error={error} />
      <Rows label={label} columns={columnsOf(t, base, turn, setAsked)} rows={rules} keyOf={({ id }) => id} />
      {asked === undefined ? null : (
        <Confirm
          title={t('delete_title')}
          action={t('delete')}
          isDestructive
          onConfirm={() => remove(asked.id)}
          onClose={() => setAsked(undefined)}
        >
          {t('delete_says', { rule: sentenceOf(asked, t) })}
        </Confirm>
      )}
    </>
  );
}

function columnsOf(
  t: RuleTell,
  base: string,
  turn: (rule: Listed<Rule>) => void,
  ask: (rule: Listed<Rule>) => void,
): readonly Column<Listed<Rule>>[] {
  return [
    { key: 'active', label: t('active'), width: 64, cell: (rule) => <OnOff rule={rule} t={t} onTurn={() => turn(rule)} /> },
    {
      key: 'rule',
      label: t('rule'),
      width: '34%',
      cell: (rule) => (
        <Link component={To} to={`${base}/${rule.id}`}>
          {sentenceOf(rule, t)}
        </Link>
      ),
    },
    { key: 'kind', label: t('kind'), width: 130, cell: (rule) => t(`kind_${rule.type}`) },
    { key: 'when', label: t('when'), width: 140, cell: (rule) => t(rule.type === 'computed' ? 'on_write' : rule.hook) },
    { key: 'message', label: t('message'), cell: (rule) => ('message' in rule.definition ? (rule.definition.message ?? '–') : '–') },
    { key: 'priority', label: t('priority'), align: 'right', width: 80, cell: ({ priority }) => priority },
    {
      key: 'actions',
      label: t('actions'),
      width: 96,
      cell: (rule) => (
        <Stack direction="row">
          <Tooltip title={t('edit_one', { rule: sentenceOf(rule, t) })}>
            <IconButton size="small" component={To} to={`${base}/${rule.id}`} aria-label={t('edit_one', { rule: sentenceOf(rule, t) })}>
              <EditOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
          <Tooltip title={t('delete_one', { rule: sentenceOf(rule, t) })}>
            <IconButton size="small" aria-label={t('delete_one', { rule: sentenceOf(rule, t) })} onClick={() => ask(rule)}>
              <DeleteOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
        </Stack>
      ),
    },
  ];
}

interface OnOffProps {
  readonly rule: Listed<Rule>;
  readonly t: RuleTell;
  readonly onTurn: () => void;
}

const OnOff = ({ rule, t, onTurn }: OnOffProps): ReactElement => (
  <Switch
    size="small"
    checked={rule.active}
    onChange={onTurn}
    slotProps={{ input: { 'aria-label': t(rule.active ? 'turn_off' : 'turn_on', { rule: sentenceOf(rule, t) }) } }}
  />
);
