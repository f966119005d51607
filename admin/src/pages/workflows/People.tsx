/** Who gets a mail or a notice: addresses, ids, `role:<name>`, paths; or what an expression answers. */
import { Stack } from '@mui/material';
import type { ReactElement } from 'react';
import { Expression } from '../../expressions/Expression.tsx';
import { useBuilder } from './builder.ts';
import { ExpressionToggle } from './ExpressionToggle.tsx';
import { isRaw, listOf, textOf } from './workflow.ts';
import { usePartWords } from './part-words.ts';
import { TextsInput } from '../../ui/TextsInput.tsx';

interface PeopleProps {
  readonly label: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly error: string | undefined;
}

export function People({ label, value, onChange, error }: PeopleProps): ReactElement {
  const said = usePartWords();
  const { roles, scope, sample } = useBuilder();
  const isExpression = isRaw(value);
  return (
    <Stack direction="row" spacing={1} sx={{ alignItems: 'start' }}>
      <div style={{ flex: 1, minWidth: 0 }}>
        {isExpression ? (
          <Expression
            label={label}
            value={textOf(value['expression'])}
            onChange={(expression) => onChange({ expression })}
            scope={scope}
            sample={sample}
            error={error}
          />
        ) : (
          <TextsInput
            label={label}
            options={roles.map((role) => `role:${role}`)}
            value={listOf(value).map(textOf)}
            onChange={(chosen) => onChange(chosen.length === 1 ? chosen[0] : chosen)}
            error={error !== undefined}
            helperText={error ?? said.hint('to')}
          />
        )}
      </div>
      <ExpressionToggle of={label} isOn={isExpression} onToggle={() => onChange(isExpression ? undefined : { expression: '' })} />
    </Stack>
  );
}
