import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Button, MenuItem, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import { entitiesOf, relationsOf, type RelationInput } from '../../../document/types.ts';
import { useDraft } from '../draft.ts';
import { metaAt } from '../meta-schema.ts';
import { useMeta } from '../use-meta.ts';
import { removeRelation, renameRelation, setRelation } from '../model/edits.ts';
import { RELATION_OPTIONS } from '../options.ts';
import { useSelection } from '../selection.ts';
import { SCHEMA } from '../words.ts';
import { NameInput } from './NameInput.tsx';
import { Options } from './Options.tsx';

const KINDS = ['one_to_one', 'one_to_many', 'many_to_many'] as const satisfies readonly RelationInput['type'][];

export function RelationForm({ relation }: { readonly relation: RelationInput }): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, edit, isBroken } = useDraft();
  const [, select] = useSelection();
  const meta = metaAt(useMeta(), 'relations', '*');
  const { name, source, target } = relation;
  const change = (patch: Readonly<Record<string, unknown>>): void =>
    edit((document) => setRelation(document, name, patch as Partial<RelationInput>));
  return (
    <Stack spacing={1.5}>
      <NameInput
        name={name}
        was={relation.was}
        isDisabled={isBroken}
        taken={relationsOf(draft.document)
          .filter((one) => one !== relation)
          .map((one) => one.name)}
        onRename={(to) => {
          edit((document, base) => renameRelation(document, name, to, base));
          select({ relation: to });
        }}
      />
      <Ends relation={relation} isDisabled={isBroken} onChange={change} />
      <Options schema={meta} looks={RELATION_OPTIONS} value={relation} isDisabled={isBroken} onChange={change} names={{ source, target }} />
      <Button
        color="error"
        variant="outlined"
        size="small"
        startIcon={<DeleteOutlined />}
        disabled={isBroken}
        sx={{ alignSelf: 'flex-start' }}
        onClick={() => {
          edit((document) => removeRelation(document, name));
          select({ entity: target });
        }}
      >
        {t('remove_of', { name })}
      </Button>
    </Stack>
  );
}

interface EndsProps {
  readonly relation: Pick<RelationInput, 'type' | 'source' | 'target'>;
  readonly isDisabled: boolean;
  readonly onChange: (patch: Partial<Pick<RelationInput, 'type' | 'source' | 'target'>>) => void;
}

/** The two ends and the kind, with what they mean in a sentence. */
export function Ends({ relation, isDisabled, onChange }: EndsProps): ReactElement {
  const t = useWords(SCHEMA);
  const { draft } = useDraft();
  const names = entitiesOf(draft.document).map(({ name }) => name);
  const end = (key: 'source' | 'target', label: string): ReactElement => (
    <TextField
      select
      size="small"
      fullWidth
      label={label}
      value={relation[key]}
      disabled={isDisabled}
      onChange={(event) => onChange({ [key]: event.target.value })}
    >
      {[...new Set([...names, relation[key]])].map((name) => (
        <MenuItem key={name} value={name}>
          {name}
        </MenuItem>
      ))}
    </TextField>
  );
  return (
    <>
      <TextField
        select
        size="small"
        label={t('kind')}
        value={relation.type}
        disabled={isDisabled}
        onChange={(event) => onChange({ type: event.target.value as RelationInput['type'] })}
      >
        {KINDS.map((kind) => (
          <MenuItem key={kind} value={kind}>
            {t(kind)}
          </MenuItem>
        ))}
      </TextField>
      <Stack direction="row" spacing={1}>
        {end('source', t('link_from'))}
        {end('target', t('link_to'))}
      </Stack>
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t(`sentence_${relation.type}`, { source: relation.source, target: relation.target })}
      </Typography>
    </>
  );
}
