/** The form of what is chosen, or of what was removed, how to get it back. */
import CloseOutlined from '@mui/icons-material/CloseOutlined';
import { Alert, Box, Breadcrumbs, Button, IconButton, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { heldBy } from '../../document/plan.ts';
import { useWords } from '../../i18n/words.ts';
import { UI } from '../../ui/words.ts';
import { useDraft } from './draft.ts';
import { EntityForm } from './forms/EntityForm.tsx';
import { FieldForm } from './forms/FieldForm.tsx';
import { RelationForm } from './forms/RelationForm.tsx';
import { Mark } from './Mark.tsx';
import { entityNamed, fieldNamed, relationNamed, restoreEntity, restoreField, restoreRelation } from './model/edits.ts';
import type { Mark as MarkKind } from './model/compare.ts';
import { useSelection } from './selection.ts';
import { SCHEMA } from './words.ts';
import { FORMS } from './forms/words.ts';

export default function Properties(): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, marks, edit } = useDraft();
  const [selection, select] = useSelection();
  const {
    document,
    base: { document: base },
  } = draft;
  if (selection.relation !== undefined) {
    const { relation: name } = selection;
    const relation = relationNamed(document, name);
    if (relation !== undefined) {
      return (
        <Titled key={name} kind={t('relation')} name={name} mark={marks.relations.get(name)}>
          <RelationForm relation={relation} />
        </Titled>
      );
    }
    if (relationNamed(base, name) === undefined) return <Nothing />;
    return <Gone name={name} kind={t('relation')} held={0} onRestore={() => edit((next, from) => restoreRelation(next, name, from))} />;
  }
  if (selection.entity === undefined) return <Nothing />;
  const entity = entityNamed(document, selection.entity);
  if (entity === undefined) return entityNamed(base, selection.entity) === undefined ? <Nothing /> : <GoneEntity name={selection.entity} />;
  if (selection.field === undefined) {
    return (
      <Titled key={entity.name} kind={t('entity')} name={entity.name} mark={marks.entities.get(entity.name)?.mark}>
        <EntityForm entity={entity} />
      </Titled>
    );
  }
  const field = fieldNamed(document, entity.name, selection.field);
  if (field === undefined) {
    const isServed = fieldNamed(base, entity.was ?? entity.name, selection.field) !== undefined;
    return isServed ? <GoneField entity={entity.name} name={selection.field} /> : <Nothing />;
  }
  return (
    <Titled
      key={`${entity.name}.${field.name}`}
      kind={t('field')}
      name={field.name}
      mark={marks.entities.get(entity.name)?.fields.get(field.name)}
      of={entity.name}
      onUp={() => select({ entity: entity.name })}
    >
      <FieldForm entity={entity} field={field} />
    </Titled>
  );
}

/** Nothing is chosen, or what the address says was never published and is gone. */
function Nothing(): ReactElement {
  const t = useWords(SCHEMA);
  return <Typography sx={{ color: 'text.secondary' }}>{t('nothing_selected')}</Typography>;
}

interface TitledProps {
  readonly kind: string;
  readonly name: string;
  readonly mark: MarkKind;
  readonly of?: string;
  readonly onUp?: () => void;
  readonly children: ReactElement;
}

function Titled({ kind, name, mark, of, onUp, children }: TitledProps): ReactElement {
  const ui = useWords(UI);
  const [, select] = useSelection();
  return (
    <Stack spacing={1.5}>
      <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
        <Box sx={{ flex: 1, minWidth: 0 }}>
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {kind}
          </Typography>
          <Breadcrumbs sx={{ '& ol': { flexWrap: 'nowrap' } }}>
            {of === undefined ? null : (
              <Link component="button" type="button" variant="subtitle1" onClick={onUp} sx={{ fontFamily: 'monospace' }}>
                {of}
              </Link>
            )}
            <Typography
              component="h2"
              variant="subtitle1"
              sx={{ fontFamily: 'monospace', fontWeight: 600, color: 'text.primary', overflowWrap: 'anywhere' }}
            >
              {name}
            </Typography>
          </Breadcrumbs>
        </Box>
        <Mark mark={mark} />
        <IconButton size="small" aria-label={ui('close')} onClick={() => select({})}>
          <CloseOutlined fontSize="small" />
        </IconButton>
      </Stack>
      {children}
    </Stack>
  );
}

/** What a removal would leave behind is told by the dry run. */
function useHeld(
  matches: (change: { readonly entity?: string; readonly field?: string; readonly kind: string }) => boolean,
): number | undefined {
  const { dryRun } = useDraft();
  if (dryRun.state !== 'planned') return undefined;
  const change = dryRun.plan.changes.find(matches);
  return change === undefined ? undefined : heldBy(dryRun.plan, change);
}

function GoneEntity({ name }: { readonly name: string }): ReactElement {
  const t = useWords(SCHEMA);
  const { edit } = useDraft();
  const held = useHeld(({ kind, entity }) => kind === 'drop_entity' && entity === name);
  return (
    <Gone name={name} kind={t('entity')} held={held} onRestore={() => edit((document, base) => restoreEntity(document, name, base))} />
  );
}

function GoneField({ entity, name }: { readonly entity: string; readonly name: string }): ReactElement {
  const t = useWords(SCHEMA);
  const { edit, draft } = useDraft();
  const served = entityNamed(draft.document, entity)?.was ?? entity;
  const held = useHeld((change) => change.kind === 'drop_field' && change.entity === served && change.field === name);
  return (
    <Gone
      name={name}
      kind={t('field')}
      held={held}
      onRestore={() => edit((document, base) => restoreField(document, entity, name, base))}
    />
  );
}

interface GoneProps {
  readonly name: string;
  readonly kind: string;
  readonly held: number | undefined;
  readonly onRestore: () => void;
}

function Gone({ name, kind, held, onRestore }: GoneProps): ReactElement {
  const t = useWords(SCHEMA);
  const form = useWords(FORMS);
  const { isBroken } = useDraft();
  return (
    <Titled kind={kind} name={name} mark="removed">
      <Alert
        severity="warning"
        action={
          <Button color="inherit" size="small" disabled={isBroken} onClick={onRestore}>
            {t('restore')}
          </Button>
        }
      >
        {form('removed_entity', { name })} {held === undefined ? '' : held === 0 ? form('loses_none') : form('loses', held)}
      </Alert>
    </Titled>
  );
}
