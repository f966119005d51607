import { TextField, type TextFieldProps } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { readLoose } from '../../ui/json.ts';
import { textOf } from './workflow.ts';

type ValueTextProps = Pick<TextFieldProps, 'label' | 'error' | 'helperText' | 'placeholder' | 'required'> & {
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
};

/** A literal or a path. What is typed stays as it is typed: half a number, or JSON with spaces, is not written anew under the hand. */
export function ValueText({ value, onChange, ...field }: ValueTextProps): ReactElement {
  const [text, setText] = useState(() => textOf(value));
  return (
    <TextField
      {...field}
      fullWidth
      multiline
      size="small"
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(event.target.value === '' ? undefined : readLoose(event.target.value));
      }}
      slotProps={{ htmlInput: { spellCheck: false } }}
    />
  );
}
