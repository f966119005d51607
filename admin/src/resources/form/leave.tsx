/** A form with something typed in it is not left without asking. */
import { Button, Dialog, DialogActions, DialogContent, DialogTitle } from '@mui/material';
import { useEffect, useId, type ReactElement } from 'react';
import { useFormState, type Control } from 'react-hook-form';
import { useBlocker } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { FORM } from './words.ts';

/** Rows that were added and taken away again leave an empty list behind. */
const hasDirt = (dirty: unknown): boolean =>
  dirty === true || (typeof dirty === 'object' && dirty !== null && Object.values(dirty).some(hasDirt));

/** True while what is typed would be lost. */
export function useIsUnsaved(control?: Control): boolean {
  const { dirtyFields, isSubmitSuccessful } = useFormState(control === undefined ? {} : { control });
  return hasDirt(dirtyFields) && !isSubmitSuccessful;
}

/** For `WarnWhenUnsavedChangesComponent` of react-admin's forms. */
export function LeaveGuard({ formControl }: { readonly formControl?: Control }): ReactElement | null {
  const isUnsaved = useIsUnsaved(formControl);
  const { isSubmitting } = useFormState(formControl === undefined ? {} : { control: formControl });
  const blocker = useBlocker(({ currentLocation, nextLocation }) => isUnsaved && currentLocation.pathname !== nextLocation.pathname);
  useEffect(() => {
    // Saving leads away before the form knows that it is saved.
    if (blocker.state === 'blocked' && !isUnsaved) blocker.proceed();
  }, [blocker, isUnsaved]);
  useEffect(() => {
    if (!isUnsaved) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isUnsaved]);
  if (blocker.state !== 'blocked' || !isUnsaved || isSubmitting) return null;
  return <LeaveDialog onLeave={() => blocker.proceed()} onStay={() => blocker.reset()} />;
}

interface LeaveDialogProps {
  readonly onLeave: () => void;
  readonly onStay: () => void;
}

export function LeaveDialog({ onLeave, onStay }: LeaveDialogProps): ReactElement {
  const t = useWords(FORM);
  const id = useId();
  return (
    <Dialog open onClose={onStay} aria-labelledby={id} maxWidth="xs" fullWidth>
      <DialogTitle id={id}>{t('leave_title')}</DialogTitle>
      <DialogContent>{t('leave_text')}</DialogContent>
      <DialogActions>
        <Button color="error" onClick={onLeave}>
          {t('leave')}
        </Button>
        <Button autoFocus variant="contained" onClick={onStay}>
          {t('stay')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
