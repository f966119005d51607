import type { ReactElement } from 'react';
import { TextsInput, tidied } from '../ui/TextsInput.tsx';
import { useDefinitions } from './definitions.ts';

interface RolesInputProps {
  readonly label: string;
  readonly value: readonly string[];
  readonly onChange: (roles: readonly string[]) => void;
  readonly helperText?: string | undefined;
  readonly error?: boolean;
  /** Names that stand beside those of the document: `*`, `admin`. */
  readonly besides?: readonly string[];
}

/** Roles of the document, and any other name one types: a document may be without a list of roles. */
export function RolesInput({ label, value, onChange, helperText, error = false, besides = [] }: RolesInputProps): ReactElement {
  const roles = useDefinitions<{ readonly name: string; readonly description?: string }>('roles');
  return (
    <TextsInput
      label={label}
      options={[...(roles.data?.data.map(({ name }) => name) ?? []), ...besides]}
      value={value}
      onChange={(chosen) => onChange(tidied(chosen))}
      helperText={helperText}
      error={error}
    />
  );
}
