/** The name of a thing. Another name for what is served already is a rename, unless one says that it is a new thing. */
import { Alert, Stack, ToggleButton, ToggleButtonGroup } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import { asName, NAME } from '../model/names.ts';
import { SCHEMA } from '../words.ts';
import { Committed } from './Committed.tsx';
import { FORMS } from './words.ts';

interface NameInputProps {
  readonly name: string;
  readonly taken: readonly string[];
  readonly onRename: (name: string) => void;
  readonly isDisabled: boolean;
  /** What it is called in the served version, where that is another name. */
  readonly was?: string | undefined;
  /** It is not the thing that was called `was`, but a new one. */
  readonly onNew?: () => void;
  /** Its name is only a proposal: one begins by typing another. */
  readonly isProposed?: boolean;
}

export function NameInput({ name, taken, onRename, isDisabled, was, onNew, isProposed = false }: NameInputProps): ReactElement {
  const t = useWords(SCHEMA);
  const form = useWords(FORMS);
  return (
    <Stack spacing={1}>
      <Committed
        label={t('name')}
        value={name}
        autoFocus={isProposed}
        onFocus={({ target }) => (isProposed ? target.select() : undefined)}
        disabled={isDisabled}
        check={(typed) => (NAME.test(asName(typed)) ? (taken.includes(asName(typed)) ? t('name_taken') : undefined) : t('name_rule'))}
        onCommit={(typed) => onRename(asName(typed))}
        slotProps={{ htmlInput: { spellCheck: false, maxLength: 63, autoComplete: 'off', style: { fontFamily: 'monospace' } } }}
      />
      {was === undefined ? null : (
        <Alert severity="info" icon={false} sx={{ py: 0.5, '& .MuiAlert-message': { width: '100%', py: 0.5 } }}>
          <Stack spacing={1}>
            <span>{form('renamed', { was })}</span>
            {onNew === undefined ? null : (
              <ToggleButtonGroup
                exclusive
                size="small"
                orientation="vertical"
                value="rename"
                disabled={isDisabled}
                aria-label={form('renamed', { was })}
                onChange={(_, chosen) => (chosen === 'new' ? onNew() : undefined)}
              >
                <ToggleButton value="rename" sx={{ textTransform: 'none', justifyContent: 'flex-start', color: 'text.primary' }}>
                  {form('as_rename')}
                </ToggleButton>
                <ToggleButton value="new" sx={{ textTransform: 'none', justifyContent: 'flex-start', color: 'text.primary' }}>
                  {form('as_new', { was })}
                </ToggleButton>
              </ToggleButtonGroup>
            )}
          </Stack>
        </Alert>
      )}
    </Stack>
  );
}
