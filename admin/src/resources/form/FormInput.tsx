import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import type { DiscoveredField } from '../../discovery.ts';
import { inputFor } from '../../fields/registry.tsx';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { isLong, WIDE } from '../Columns.tsx';
import { placeOf } from './focus.ts';
import { RelationInput } from './RelationInput.tsx';

interface FormInputProps {
  readonly field: DiscoveredField;
  /** Its name in the form; that of the field where it stands at the top. */
  readonly source?: string;
}

/** One field of a form, in the place where a mistake's link finds it. */
export function FormInput({ field, source = field.name }: FormInputProps): ReactElement {
  const target = entityNamed(useDiscovery(), field.references ?? '');
  return (
    <Box {...placeOf(source)} sx={{ minWidth: 0, ...(isLong(field) ? WIDE : {}) }}>
      {target === undefined ? inputFor(field, source) : <RelationInput source={source} field={field} target={target} />}
    </Box>
  );
}
