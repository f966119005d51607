import { Box, Button, Drawer, Stack, Typography } from '@mui/material';
import { useEffect, useId, useMemo, useRef, useState, type ReactElement, type RefObject } from 'react';
import { Form, RecordContextProvider, ResourceContextProvider, SaveButton, type RaRecord } from 'react-admin';
import type { DiscoveredEntity } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { defaultsOf, editableFields } from '../shape.ts';
import type { Creating } from './creating.ts';
import { ErrorSummary } from './ErrorSummary.tsx';
import { focusFirst } from './focus.ts';
import { FormInput } from './FormInput.tsx';
import { LeaveDialog, useIsUnsaved } from './leave.tsx';
import { useCreateRecord } from './save.ts';
import { FORM } from './words.ts';

interface CreateDrawerProps {
  readonly creating: Creating;
  readonly onClose: () => void;
}

/** A new record of another entity, made without leaving the form that wants to lead to it. */
export function CreateDrawer({ creating: { target, title, onCreated }, onClose }: CreateDrawerProps): ReactElement {
  const t = useWords(FORM);
  const id = useId();
  const isUnsaved = useRef(false);
  const [isAsking, setAsking] = useState(false);
  const close = (): void => (isUnsaved.current ? setAsking(true) : onClose());
  const done = (record: RaRecord): void => {
    onCreated(record);
    onClose();
  };
  return (
    <Drawer
      open
      anchor="right"
      onClose={close}
      slotProps={{ paper: { role: 'dialog', 'aria-modal': true, 'aria-labelledby': id, sx: { width: { xs: '100%', sm: 480 }, p: 2 } } }}
    >
      <Typography id={id} variant="h6" component="h2" sx={{ mb: 2 }}>
        {t('new_record', { entity: target.label })}
      </Typography>
      {/* Of its own: the record around the drawer is another one. */}
      <ResourceContextProvider value={target.name}>
        <RecordContextProvider value={undefined}>
          <DrawerForm target={target} title={title} isUnsaved={isUnsaved} onDone={done} onCancel={close} />
        </RecordContextProvider>
      </ResourceContextProvider>
      {isAsking ? <LeaveDialog onLeave={onClose} onStay={() => setAsking(false)} /> : null}
    </Drawer>
  );
}

interface DrawerFormProps {
  readonly target: DiscoveredEntity;
  readonly title: string;
  readonly isUnsaved: RefObject<boolean>;
  readonly onDone: (record: RaRecord) => void;
  readonly onCancel: () => void;
}

function DrawerForm({ target, title, isUnsaved, onDone, onCancel }: DrawerFormProps): ReactElement {
  const t = useWords(FORM);
  const fields = editableFields(target);
  const start = useMemo(() => startOf(target, title), [target, title]);
  const create = useCreateRecord(target, onDone);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Once the drawer has taken the keyboard itself.
    const timer = setTimeout(() => focusFirst(box.current), 0);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Form noValidate defaultValues={start} shouldFocusError={false} disableInvalidFormNotification onSubmit={create}>
      <UnsavedNote isUnsaved={isUnsaved} />
      <Stack ref={box} spacing={1}>
        <ErrorSummary labelOf={(source) => fields.find((field) => field.name === source)?.label ?? source} />
        {fields.map((field) => (
          <FormInput key={field.name} field={field} />
        ))}
      </Stack>
      <Box sx={{ display: 'flex', gap: 1, mt: 2 }}>
        <SaveButton alwaysEnable />
        <Button onClick={onCancel}>{t('cancel')}</Button>
      </Box>
    </Form>
  );
}

/** What was searched for in vain is the new one's title, where a title can be typed. */
function startOf(target: DiscoveredEntity, title: string): Readonly<Record<string, unknown>> {
  const fields = editableFields(target);
  const isTyped = fields.some(
    ({ name, type }) => name === target.display_field && (type === 'string' || type === 'text' || type === 'email'),
  );
  return { ...defaultsOf(fields), ...(title !== '' && isTyped ? { [target.display_field]: title } : {}) };
}

function UnsavedNote({ isUnsaved }: { readonly isUnsaved: RefObject<boolean> }): null {
  const now = useIsUnsaved();
  useEffect(() => {
    isUnsaved.current = now;
  }, [now, isUnsaved]);
  return null;
}
