import { TextField, type TextFieldProps } from '@mui/material';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useRested } from '../api/use-api.ts';

type AddressFieldProps = Omit<TextFieldProps, 'value' | 'onChange'> & {
  readonly value: string;
  readonly onChange: (value: string) => void;
};

/**
 * A text that lives in the address. The address follows a moment after the last key: an input that waited for it would lose keys. What comes
 * back from it is not taken for news.
 */
export function AddressField({ value, onChange, ...props }: AddressFieldProps): ReactElement {
  const [typed, setTyped] = useState(value);
  const told = useRef<string[]>([]);
  const rested = useRested(typed, 200);
  const latest = useRef({ value, onChange });
  useEffect(() => {
    latest.current = { value, onChange };
  });
  useEffect(() => {
    const at = told.current.indexOf(value);
    if (at === -1) setTyped(value);
    else told.current = told.current.slice(at + 1);
  }, [value]);
  useEffect(() => {
    if (rested === latest.current.value) return;
    told.current = [...told.current, rested];
    latest.current.onChange(rested);
  }, [rested]);
  return <TextField {...props} value={typed} onChange={(event) => setTyped(event.target.value)} />;
}
