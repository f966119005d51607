import { Alert } from '@mui/material';
import type { ReactElement } from 'react';
import { Problem } from '../ui/Problem.tsx';
import { refusalsOf } from './definitions.ts';

/** A draft that could not be published like this: what is wrong, in the words of the publish; any other refusal as it is. */
export function Refused({ error }: { readonly error: unknown }): ReactElement | null {
  const refusals = refusalsOf(error);
  if (refusals === undefined) return <Problem error={error} />;
  return (
    <Alert severity="error">
      {refusals.map((refusal) => (
        <div key={refusal}>{refusal}</div>
      ))}
    </Alert>
  );
}
