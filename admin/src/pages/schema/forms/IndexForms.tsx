/** Indexes and groups of fields that are unique together. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, Button, IconButton, Stack, Tooltip } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { useWords } from '../../../i18n/words.ts';
import type { EntityInput, IndexInput } from '../../../document/types.ts';
import { useDraft } from '../draft.ts';
import { metaAt } from '../meta-schema.ts';
import { useMeta } from '../use-meta.ts';
import { keyName } from '../model/names.ts';
import { patched } from '../model/edits.ts';
import { INDEX_OPTIONS } from '../options.ts';
import { SCHEMA } from '../words.ts';
import { Heading } from './Heading.tsx';
import { OptionInput } from './OptionInput.tsx';
import { Options } from './Options.tsx';
import { FORMS } from './words.ts';

interface PartProps {
  readonly entity: EntityInput;
  readonly onChange: (patch: Readonly<Record<string, unknown>>) => void;
}

const columnsOf = (entity: EntityInput): readonly string[] => entity.fields.map(keyName);

export function IndexesForm({ entity, onChange }: PartProps): ReactElement {
  const form = useWords(FORMS);
  const { isBroken } = useDraft();
  const meta = metaAt(useMeta(), 'entities', '*', 'indexes', '*');
  const indexes = entity.indexes ?? [];
  const put = (next: readonly IndexInput[]): void => onChange({ indexes: next });
  const [first = 'id'] = columnsOf(entity);
  return (
    <Box component="section" aria-label={form('indexes')}>
      <Heading>{form('indexes')}</Heading>
      <Stack spacing={1}>
        {indexes.map((index, at) => (
          <Item
            key={at}
            label={form('index_of', { fields: index.fields.join(', ') })}
            isDisabled={isBroken}
            onRemove={() => put(indexes.filter((_, other) => other !== at))}
          >
            <Options
              schema={meta}
              looks={INDEX_OPTIONS}
              value={index}
              isDisabled={isBroken}
              choicesFor={() => columnsOf(entity)}
              onChange={(patch) => {
                const changed = {
                  ...patched(index, patch as Partial<IndexInput>),
                  fields: (patch['fields'] as string[] | undefined) ?? index.fields,
                };
                put(indexes.map((one, other) => (other === at ? changed : one)));
              }}
            />
          </Item>
        ))}
      </Stack>
      <Button size="small" startIcon={<AddOutlined />} disabled={isBroken} onClick={() => put([...indexes, { fields: [first] }])}>
        {form('add_index')}
      </Button>
    </Box>
  );
}

export function UniquesForm({ entity, onChange }: PartProps): ReactElement {
  const t = useWords(SCHEMA);
  const form = useWords(FORMS);
  const { isBroken } = useDraft();
  const meta = metaAt(useMeta(), 'entities', '*', 'unique', '*');
  const groups = entity.unique ?? [];
  const put = (next: readonly (readonly string[])[]): void => onChange({ unique: next });
  const [first = 'id', second] = columnsOf(entity);
  return (
    <Box component="section" aria-label={form('uniques')}>
      <Heading>{form('uniques')}</Heading>
      <Stack spacing={1}>
        {groups.map((group, at) => (
          <Item key={at} label={group.join(', ')} isDisabled={isBroken} onRemove={() => put(groups.filter((_, other) => other !== at))}>
            <OptionInput
              label={t('fields')}
              schema={meta ?? {}}
              widget="fields"
              names={columnsOf(entity)}
              value={group}
              isDisabled={isBroken}
              onChange={(next) => put(groups.map((one, other) => (other === at && Array.isArray(next) ? (next as string[]) : one)))}
            />
          </Item>
        ))}
      </Stack>
      <Button
        size="small"
        startIcon={<AddOutlined />}
        disabled={isBroken}
        onClick={() => put([...groups, [first, ...(second === undefined ? [] : [second])]])}
      >
        {form('add_unique')}
      </Button>
    </Box>
  );
}

interface ItemProps {
  readonly label: string;
  readonly isDisabled: boolean;
  readonly onRemove: () => void;
  readonly children: ReactNode;
}

function Item({ label, isDisabled, onRemove, children }: ItemProps): ReactElement {
  const t = useWords(SCHEMA);
  const remove = t('remove_of', { name: label });
  return (
    <Box role="group" aria-label={label} sx={{ display: 'flex', gap: 0.5, alignItems: 'flex-start' }}>
      <Box sx={{ flex: 1, minWidth: 0 }}>{children}</Box>
      <Tooltip title={remove}>
        <span>
          <IconButton size="small" aria-label={remove} disabled={isDisabled} onClick={onRemove}>
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </span>
      </Tooltip>
    </Box>
  );
}
