import { Autocomplete, Chip, TextField } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';

interface TextsInputProps {
  readonly label: string;
  readonly value: readonly string[];
  readonly onChange: (texts: string[]) => void;
  /** What is offered; anything else may be typed. */
  readonly options?: readonly string[];
  readonly labelOf?: (text: string) => string;
  readonly helperText?: ReactNode;
  readonly error?: boolean;
}

/** Several texts as chips, each ended with Enter. */
export function TextsInput({ label, value, onChange, options = [], labelOf, helperText, error = false }: TextsInputProps): ReactElement {
  return (
    <Autocomplete
      multiple
      freeSolo
      autoSelect
      size="small"
      options={[...options]}
      value={[...value]}
      onChange={(_, chosen) => onChange(chosen)}
      renderValue={(chosen, itemProps) =>
        chosen.map((text, index) => {
          const { key, ...props } = itemProps({ index });
          return <Chip key={key} size="small" label={labelOf?.(text) ?? text} {...props} />;
        })
      }
      renderInput={(params) => <TextField {...params} label={label} helperText={helperText} error={error} />}
    />
  );
}

/** Without blanks around them, none empty and none twice. */
export const tidied = (texts: readonly string[]): string[] => [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ''))];
