import { Button, Paper, Stack } from '@mui/material';
import { useState, type FormEvent, type ReactElement, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { Problem } from '../ui/Problem.tsx';
import { useWrites, type Section, type Written } from './definitions.ts';
import { savedState } from './Saved.tsx';

interface DefinitionFormProps {
  readonly section: Section;
  /** What is edited; undefined for a new definition. */
  readonly stored: { readonly id: string } | undefined;
  /** The schema version that `stored` was read in. */
  readonly version: number;
  /** What is sent; undefined while the draft cannot be. */
  readonly body: object | undefined;
  /** Whether it may be sent, when that is more than having a body. */
  readonly isReady?: boolean;
  readonly label: string;
  readonly save: string;
  readonly cancel: string;
  /** The page it came from; a cancel leads there. */
  readonly from: string;
  /** Where a save leads, when not there. */
  readonly savedTo?: string;
  /** What follows a publish in place of leading there: an answer that has to be read first. */
  readonly onWritten?: (written: Written<unknown>) => void;
  /** What else follows a publish. */
  readonly onSaved?: () => Promise<void>;
  /** The fields, with what was refused, for its places. */
  readonly children: (error: unknown) => ReactNode;
}

/** One definition as a form: saving is a publish, told by `<Saved />` on the page it leads to; what was refused stands above the fields. */
export function DefinitionForm(props: DefinitionFormProps): ReactElement {
  const {
    section,
    stored,
    version,
    body,
    isReady = body !== undefined,
    label,
    save,
    cancel,
    from,
    savedTo = from,
    onWritten,
    onSaved,
    children,
  } = props;
  const navigate = useNavigate();
  const { create, change } = useWrites<unknown>(section);
  // Another's publish while this form stands open is noticed, not overwritten.
  const [edited] = useState(version);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const publish = async (whole: object): Promise<void> => {
    const written = stored === undefined ? await create(whole) : await change(stored.id, whole, edited);
    if (onWritten !== undefined) return onWritten(written);
    await navigate(savedTo, { state: savedState(written) });
    await onSaved?.();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (body === undefined) return;
    setBusy(true);
    setError(undefined);
    publish(body).catch((refused: unknown) => (setError(refused), setBusy(false)));
  };
  return (
    <Paper variant="outlined" component="form" noValidate aria-label={label} onSubmit={submit} sx={{ p: 2 }}>
      <Problem error={error} />
      {children(error)}
      <Stack direction="row" spacing={1} sx={{ mt: 2 }}>
        <Button type="submit" variant="contained" disabled={isBusy || !isReady}>
          {save}
        </Button>
        <Button component={Link} to={from}>
          {cancel}
        </Button>
      </Stack>
    </Paper>
  );
}
