/** A text that counts when one is done with it (Enter, or leaving it), so that a word is one step back and not one per letter. */
import { TextField, type TextFieldProps } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';

type CommittedProps = Omit<TextFieldProps, 'value' | 'onChange'> & {
  readonly value: string;
  /** Answers what is wrong with it; then it is not taken. */
  readonly check?: (typed: string) => string | undefined;
  readonly onCommit: (typed: string) => void;
};

export function Committed({ value, check, onCommit, helperText, ...rest }: CommittedProps): ReactElement {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const wrong = typed === value ? undefined : check?.(typed);
  const commit = (): void => {
    if (typed !== value && wrong === undefined) onCommit(typed);
  };
  return (
    <TextField
      size="small"
      fullWidth
      {...rest}
      value={typed}
      error={wrong !== undefined}
      helperText={wrong ?? helperText}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && rest.multiline !== true) commit();
        if (event.key === 'Escape' && typed !== value) {
          event.stopPropagation();
          setTyped(value);
        }
      }}
    />
  );
}
