import { Alert, AlertTitle, Box, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Rows } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import type { Decision as DecisionWord } from './Matrix.tsx';
import { PERMISSIONS } from './words.ts';

interface Considered {
  readonly id: string | null;
  readonly effect: 'grant' | 'deny';
  readonly roles: readonly string[];
  readonly matched_roles: readonly string[];
  readonly condition: string;
  readonly fields: readonly string[] | null;
  readonly is_draft: boolean;
  readonly holds: boolean | null;
  readonly why: string;
}

interface Decision {
  readonly decision: DecisionWord;
  readonly reason: string;
  readonly predicate: string;
  readonly considered: readonly Considered[];
  readonly fields: readonly {
    readonly name: string;
    readonly access: 'always' | 'never' | 'conditional';
    readonly in_record: boolean | null;
  }[];
  readonly presets: Readonly<Record<string, unknown>>;
}

export interface Simulation extends Decision {
  readonly rows: {
    readonly before: number;
    readonly after: number;
    readonly gained: readonly string[];
    readonly lost: readonly string[];
  } | null;
  readonly draft: Decision | null;
}

const SEVERITIES = { allowed: 'success', filtered: 'warning', denied: 'error' } as const;

export function Simulated({ simulation, entity }: { readonly simulation: Simulation; readonly entity: string }): ReactElement {
  const t = useWords(PERMISSIONS);
  const { draft } = simulation;
  return (
    <Stack spacing={2}>
      <Verdict title={draft === null ? undefined : t('now')} decision={simulation} />
      {draft === null ? null : <Verdict title={t('with_draft')} decision={draft} />}
      <Reach simulation={simulation} entity={entity} />
      <ConsideredRows considered={(draft ?? simulation).considered} />
      <FieldRows fields={(draft ?? simulation).fields} before={draft === null ? undefined : simulation.fields} />
    </Stack>
  );
}

function Verdict({ title, decision }: { readonly title: string | undefined; readonly decision: Decision }): ReactElement {
  const t = useWords(PERMISSIONS);
  const presets = Object.entries(decision.presets);
  const said = t(`decided_${decision.decision}`);
  return (
    <Alert severity={SEVERITIES[decision.decision]} role="region" aria-label={title ?? said}>
      <AlertTitle>{title === undefined ? said : `${title}: ${said}`}</AlertTitle>
      {decision.reason}
      <Box sx={{ fontFamily: 'monospace', fontSize: 12, mt: 0.5, overflowWrap: 'anywhere' }}>
        {t('predicate', { predicate: decision.predicate })}
      </Box>
      {presets.length === 0 ? null : (
        <Box sx={{ mt: 0.5 }}>
          {t('presets_told', { presets: presets.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(', ') })}
        </Box>
      )}
    </Alert>
  );
}

function Reach({ simulation: { rows, draft }, entity }: { readonly simulation: Simulation; readonly entity: string }): ReactElement | null {
  const t = useWords(PERMISSIONS);
  const format = useFormat();
  if (rows === null) return null;
  return (
    <div>
      <Typography variant="body2" role="status">
        {t('rows_now', { smart_count: rows.before })} {draft === null ? '' : t('rows_draft', { count: format.number(rows.after) })}
      </Typography>
      <Keys title={t('rows_gained')} keys={rows.gained} entity={entity} />
      <Keys title={t('rows_lost')} keys={rows.lost} entity={entity} />
    </div>
  );
}

/** At most twenty of them, each leading to its record. */
function Keys({
  title,
  keys,
  entity,
}: {
  readonly title: string;
  readonly keys: readonly string[];
  readonly entity: string;
}): ReactElement | null {
  const { app } = useDiscovery();
  if (keys.length === 0) return null;
  return (
    <Box sx={{ mt: 1 }}>
      <Typography variant="body2" sx={{ fontWeight: 500 }}>
        {title}
      </Typography>
      <Box
        component="ul"
        aria-label={title}
        sx={{
          m: 0,
          pl: 2.5,
          fontFamily: 'monospace',
          fontSize: 12,
          lineHeight: '24px',
          columns: { sm: 2 },
          '& a': { display: 'inline-block' },
        }}
      >
        {keys.map((key) => (
          <li key={key}>
            <Link component={To} to={`/t/${app.name}/${entity}/${encodeURIComponent(key)}/show`}>
              {key}
            </Link>
          </li>
        ))}
      </Box>
    </Box>
  );
}

function ConsideredRows({ considered }: { readonly considered: readonly Considered[] }): ReactElement {
  const t = useWords(PERMISSIONS);
  // What decides stands first: it is about the caller, and holds.
  const order = [...considered].sort((a, b) => weight(b) - weight(a));
  return (
    <section aria-label={t('considered')}>
      <Typography component="h2" variant="body2" sx={{ fontWeight: 600, mb: 0.5 }}>
        {t('considered')}
      </Typography>
      {considered.length === 0 ? (
        <Typography variant="body2">{t('considered_none')}</Typography>
      ) : (
        <Rows
          label={t('considered')}
          rows={order.map((each, index) => ({ ...each, index }))}
          keyOf={({ index }) => index}
          isSelected={(each) => decides(each)}
          columns={[
            { key: 'effect', label: t('effect'), width: 130, cell: (each) => <Effect considered={each} /> },
            { key: 'roles', label: t('roles_input'), cell: ({ roles }) => roles.join(', ') },
            {
              key: 'condition',
              label: t('condition'),
              cell: ({ condition }) => (condition === 'every record' ? t('every_record') : condition),
            },
            { key: 'fields', label: t('fields'), cell: ({ fields }) => fields?.join(', ') ?? t('all_fields') },
            { key: 'why', label: t('why'), cell: ({ why }) => why },
          ]}
        />
      )}
    </section>
  );
}

const decides = ({ matched_roles: matched, holds }: Considered): boolean => matched.length > 0 && holds !== false;
const weight = (each: Considered): number =>
  (decides(each) ? 2 : each.matched_roles.length > 0 ? 1 : 0) + (each.effect === 'deny' ? 0.5 : 0);

function Effect({ considered }: { readonly considered: Considered }): ReactElement {
  const t = useWords(PERMISSIONS);
  const { effect, is_draft: isDraft } = considered;
  const isDeny = effect === 'deny';
  const tone: Tone = !decides(considered) ? 'off' : isDeny ? 'failed' : 'done';
  return (
    <Stack direction="row" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap' }}>
      <Status tone={tone} label={t(isDeny ? 'effect_deny' : 'effect_grant')} />
      {isDraft ? <Status tone="info" label={t('state_added')} /> : null}
    </Stack>
  );
}

interface FieldRowsProps {
  readonly fields: Decision['fields'];
  readonly before: Decision['fields'] | undefined;
}

const ACCESS_TONES: Readonly<Record<'always' | 'never' | 'conditional', Tone>> = { always: 'done', never: 'off', conditional: 'warning' };

function FieldRows({ fields, before }: FieldRowsProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const wordFor = ({ access, in_record: inRecord }: Decision['fields'][number]): string =>
    inRecord === null ? t(`access_${access}`) : t(inRecord ? 'in_record_yes' : 'in_record_no');
  return (
    <section aria-label={t('field_access')}>
      <Typography component="h2" variant="body2" sx={{ fontWeight: 600, mb: 0.5 }}>
        {t('field_access')}
      </Typography>
      <Box component="ul" aria-label={t('field_access')} sx={{ listStyle: 'none', m: 0, p: 0, display: 'flex', flexWrap: 'wrap', gap: 1 }}>
        {fields.map((field) => {
          const was = before?.find(({ name }) => name === field.name);
          const isOther = was !== undefined && wordFor(was) !== wordFor(field);
          const isOpen = field.in_record === null ? ACCESS_TONES[field.access] : field.in_record ? 'done' : 'off';
          return (
            <li key={field.name}>
              <Status tone={isOpen} label={`${field.name}: ${isOther ? `${wordFor(was)} → ` : ''}${wordFor(field)}`} />
            </li>
          );
        })}
      </Box>
    </section>
  );
}
