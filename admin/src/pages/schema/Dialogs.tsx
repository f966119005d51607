import { Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { useId, useState, type FormEvent, type ReactElement, type ReactNode } from 'react';
import { useNavigate } from 'react-router-dom';
import { PublishDialog } from '../../document/PublishDialog.tsx';
import { publishedState } from '../../document/PublishedNotice.tsx';
import { entitiesOf, type RelationInput } from '../../document/types.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { UI } from '../../ui/words.ts';
import type { Asked } from './dialogs.ts';
import { forgetDraft, useDraft } from './draft.ts';
import { Ends } from './forms/RelationForm.tsx';
import { addEntity, addRelation, answered, removeEntity } from './model/edits.ts';
import { asName, dependentsOf, NAME } from './model/names.ts';
import { useSelection } from './selection.ts';
import { SCHEMA } from './words.ts';

interface DialogProps {
  readonly onClose: () => void;
}

export default function Dialogs({ asked, onClose }: { readonly asked: Asked } & DialogProps): ReactElement {
  switch (asked.kind) {
    case 'new':
      return <NewEntity onClose={onClose} />;
    case 'link':
      return <NewRelation source={asked.source} target={asked.target} onClose={onClose} />;
    case 'remove':
      return <RemoveEntity entity={asked.entity} onClose={onClose} />;
    case 'discard':
      return <Discard onClose={onClose} />;
    case 'publish':
      return <Publish onClose={onClose} />;
  }
}

function FormDialog({
  title,
  children,
  canSubmit,
  onSubmit,
  onClose,
}: DialogProps & {
  readonly title: string;
  readonly children: ReactNode;
  readonly canSubmit: boolean;
  readonly onSubmit: () => void;
}): ReactElement {
  const t = useWords(SCHEMA);
  const ui = useWords(UI);
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!canSubmit) return;
    onSubmit();
    onClose();
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} maxWidth="xs" fullWidth>
      <form onSubmit={submit}>
        <DialogTitle id={id}>{title}</DialogTitle>
        <DialogContent>
          <Stack spacing={2} sx={{ pt: 1 }}>
            {children}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{ui('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={!canSubmit}>
            {t('create')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function useName(
  initial: string,
  taken: readonly string[],
): { readonly name: string; readonly isGood: boolean; readonly input: ReactElement } {
  const t = useWords(SCHEMA);
  const [typed, setTyped] = useState(initial);
  const name = asName(typed);
  const wrong = typed === '' ? undefined : !NAME.test(name) ? t('name_rule') : taken.includes(name) ? t('name_taken') : undefined;
  return {
    name,
    isGood: typed !== '' && wrong === undefined,
    input: (
      <TextField
        autoFocus
        size="small"
        label={t('name')}
        value={typed}
        error={wrong !== undefined}
        helperText={wrong ?? (name !== typed && name !== '' ? name : t('name_rule'))}
        onChange={(event) => setTyped(event.target.value)}
        slotProps={{ htmlInput: { spellCheck: false, autoComplete: 'off' } }}
      />
    ),
  };
}

function NewEntity({ onClose }: DialogProps): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, edit } = useDraft();
  const [, select] = useSelection();
  const { name, isGood, input } = useName(
    '',
    entitiesOf(draft.document).map((entity) => entity.name),
  );
  return (
    <FormDialog
      title={t('add_entity')}
      canSubmit={isGood}
      onSubmit={() => {
        edit((document) => addEntity(document, name).document);
        select({ entity: name });
      }}
      onClose={onClose}
    >
      {input}
    </FormDialog>
  );
}

function NewRelation({
  source,
  target,
  onClose,
}: DialogProps & { readonly source: string | undefined; readonly target: string | undefined }): ReactElement | null {
  const t = useWords(SCHEMA);
  const { draft, edit } = useDraft();
  const [, select] = useSelection();
  const names = entitiesOf(draft.document).map(({ name }) => name);
  const from = source ?? names[0] ?? '';
  const [ends, setEnds] = useState<Pick<RelationInput, 'type' | 'source' | 'target'>>({
    type: 'one_to_many',
    source: from,
    target: target ?? names.find((name) => name !== from) ?? from,
  });
  const taken = (draft.document.relations ?? []).map(({ name }) => name);
  const proposed = `${ends.target}_${ends.source}`.slice(0, 63);
  return (
    <FormDialog
      title={t('link_title')}
      canSubmit={names.length > 0}
      onSubmit={() => {
        const made = addRelation(draft.document, { name: taken.includes(proposed) ? `${proposed}_2` : proposed, ...ends });
        edit(() => made.document);
        select({ relation: made.name });
      }}
      onClose={onClose}
    >
      <Ends relation={ends} isDisabled={false} onChange={(patch) => setEnds({ ...ends, ...patch })} />
    </FormDialog>
  );
}

function RemoveEntity({ entity, onClose }: DialogProps & { readonly entity: string }): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, edit } = useDraft();
  const [, select] = useSelection();
  const { relations, fields, items } = dependentsOf(draft.document, entity);
  const counts = Object.entries(items) as [keyof typeof items, number][];
  const things = [...relations, ...fields, ...counts.map(([section, count]) => t(`section_${section}`, count))];
  return (
    <Confirm
      title={t('remove_entity_title', { name: entity })}
      action={t('remove')}
      isDestructive
      onConfirm={async () => {
        edit((document) => removeEntity(document, entity));
        select({ entity });
      }}
      onClose={onClose}
    >
      {things.length === 0 ? t('goes_alone') : t('goes_along', { things: things.join(', ') })} {t('can_undo')}
    </Confirm>
  );
}

function Discard({ onClose }: DialogProps): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, dispatch } = useDraft();
  return (
    <Confirm
      title={t('discard_title')}
      action={t('discard')}
      isDestructive
      onConfirm={async () => dispatch({ kind: 'discard' })}
      onClose={onClose}
    >
      {t('discard_body', { version: draft.base.version })}
    </Confirm>
  );
}

function Publish({ onClose }: DialogProps): ReactElement {
  const { draft, edit, dispatch } = useDraft();
  const { app } = useDiscovery();
  const navigate = useNavigate();
  const reload = useReload();
  return (
    <PublishDialog
      document={draft.document}
      base={draft.base.version}
      onAnswer={(instruction) => edit((document) => answered(document, instruction))}
      onPublished={(answer) => {
        onClose();
        // The draft is what is served now, or soon; nothing of it is to be kept, nor to be undone.
        dispatch({ kind: 'begin' });
        forgetDraft(app.name);
        void navigate('.', { replace: true, state: publishedState(answer) });
        void reload();
      }}
      onClose={onClose}
    />
  );
}
