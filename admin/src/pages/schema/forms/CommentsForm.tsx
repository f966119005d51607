/** Who comments on the records of an entity: one of the words the document has for it, or certain roles. */
import { MenuItem, Stack, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { RolesInput } from '../../../definitions/RolesInput.tsx';
import { useWords } from '../../../i18n/words.ts';
import type { EntityInput } from '../../../document/types.ts';
import { FORMS } from './words.ts';

const WHO = ['readers', 'updaters', 'off', 'roles'] as const;
type Who = (typeof WHO)[number];

interface CommentsFormProps {
  readonly entity: EntityInput;
  readonly isDisabled: boolean;
  readonly onChange: (patch: Readonly<Record<string, unknown>>) => void;
}

export function CommentsForm({ entity: { comments }, isDisabled, onChange }: CommentsFormProps): ReactElement {
  const form = useWords(FORMS);
  const who: Who = Array.isArray(comments) ? 'roles' : (comments ?? 'readers');
  // Readers are meant when nothing is said, so nothing is written for them.
  const choose = (next: Who): void => onChange({ comments: next === 'roles' ? ['admin'] : next === 'readers' ? undefined : next });
  return (
    <Stack spacing={1.5}>
      <TextField
        select
        size="small"
        fullWidth
        label={form('comments_by')}
        value={who}
        disabled={isDisabled}
        onChange={({ target }) => choose(target.value as Who)}
      >
        {WHO.map((one) => (
          <MenuItem key={one} value={one}>
            {form(`comments_${one}`)}
          </MenuItem>
        ))}
      </TextField>
      {Array.isArray(comments) ? (
        <RolesInput
          label={form('comments_roles')}
          value={comments}
          besides={['admin']}
          onChange={(roles) => onChange({ comments: roles.length === 0 ? undefined : roles })}
        />
      ) : null}
    </Stack>
  );
}
