/** One permission as a form. It goes into the draft once the API finds nothing wrong with it. */
import {
  Autocomplete,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  MenuItem,
  Stack,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
  Typography,
} from '@mui/material';
import { useId, useMemo, useState, type ReactElement } from 'react';
import { appPath } from '../../api/use-api.ts';
import { errorAt } from '../../definitions/definitions.ts';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { client } from '../../session.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Problem } from '../../ui/Problem.tsx';
import { ConditionRows, PresetRows } from './ConditionRows.tsx';
import { useDraft } from './draft.ts';
import { askedOf, edited, RECORD_ACTIONS, type Action, type Edit, type Permission } from './permission.ts';
import { PERMISSIONS } from './words.ts';

interface PermissionDialogProps {
  readonly initial: Permission;
  /** Of what is edited; without it a permission is added. */
  readonly editKey?: string;
  readonly onClose: () => void;
}

export function PermissionDialog({ initial, editKey, onClose }: PermissionDialogProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const id = useId();
  const { app } = useDiscovery();
  const draft = useDraft();
  const [permission, setPermission] = useState(initial);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const take = async (): Promise<void> => {
    const isStored = draft.stored.some((stored) => stored.id === editKey);
    const edit: Edit = { kind: isStored ? 'change' : 'add', key: editKey ?? `new-${Date.now()}`, permission };
    const next = edited(draft.edits, edit);
    // What could not be saved is refused here already, in the words of a publish.
    await client.call(`${appPath(app.name)}/_admin/permissions/matrix`, { method: 'POST', body: { draft: askedOf(next) } });
    draft.edit(edit);
    onClose();
  };
  const submit = (): void => {
    setBusy(true);
    setError(undefined);
    take().catch((refused: unknown) => (setError(refused), setBusy(false)));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>{t(editKey === undefined ? 'new' : 'edit')}</DialogTitle>
      <DialogContent>
        <Problem error={error} />
        <Form permission={permission} onChange={setPermission} error={error} />
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button variant="contained" disabled={isBusy || permission.roles.length === 0} onClick={submit}>
          {t('to_draft')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

interface FormProps {
  readonly permission: Permission;
  readonly onChange: (permission: Permission) => void;
  readonly error: unknown;
}

interface PartProps extends FormProps {
  readonly set: (part: Partial<Permission>) => void;
}

function Form({ permission, onChange, error }: FormProps): ReactElement {
  const set = (part: Partial<Permission>): void => onChange({ ...permission, ...part });
  const parts: PartProps = { permission, onChange, error, set };
  return (
    <Stack spacing={2} sx={{ pt: 1 }}>
      <WhoAndWhat {...parts} />
      <WhichRecords {...parts} />
      <WhichFields {...parts} />
      {(permission.action === 'create' || permission.action === '*') && !permission.deny ? (
        <PresetRows entity={permission.entity} presets={permission.presets ?? {}} onChange={(presets) => set({ presets })} />
      ) : null}
    </Stack>
  );
}

function WhoAndWhat({ permission, set, error }: PartProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const { entities } = useDiscovery();
  const actionName = (action: Action): string => t(action === '*' ? 'action_all' : `do_${action}`);
  return (
    <>
      <RolesInput
        label={t('roles_input')}
        helperText={errorAt(error, 'roles') ?? t('roles_hint')}
        error={errorAt(error, 'roles') !== undefined}
        value={permission.roles}
        onChange={(roles) => set({ roles: [...roles] })}
        besides={['*']}
      />
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr 1fr' }, alignItems: 'start' }}>
        <Box sx={{ pt: 1 }}>
          <ToggleButtonGroup
            exclusive
            fullWidth
            size="small"
            aria-label={t('grants')}
            value={permission.deny ? 'deny' : 'grant'}
            onChange={(_, chosen: string | null) => set({ deny: (chosen ?? (permission.deny ? 'deny' : 'grant')) === 'deny' })}
          >
            <ToggleButton value="grant" color="success">
              {t('grant')}
            </ToggleButton>
            <ToggleButton value="deny" color="error">
              {t('deny')}
            </ToggleButton>
          </ToggleButtonGroup>
          {permission.deny ? (
            <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mt: 0.5 }}>
              {t('deny_hint')}
            </Typography>
          ) : null}
        </Box>
        <TextField
          select
          size="small"
          label={t('action')}
          value={permission.action}
          onChange={(event) => set({ action: event.target.value as Action })}
        >
          {([...RECORD_ACTIONS, '*'] as const).map((action) => (
            <MenuItem key={action} value={action}>
              {actionName(action)}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          select
          size="small"
          label={t('entity')}
          value={permission.entity}
          onChange={(event) => set({ entity: event.target.value })}
        >
          <MenuItem value="*">{t('every_entity')}</MenuItem>
          {entities.map(({ name, label }) => (
            <MenuItem key={name} value={name}>
              {label}
            </MenuItem>
          ))}
          {permission.entity !== '*' && !entities.some(({ name }) => name === permission.entity) ? (
            <MenuItem value={permission.entity}>{permission.entity}</MenuItem>
          ) : null}
        </TextField>
      </Box>
    </>
  );
}

function WhichRecords({ permission, set, error }: PartProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const scope = useMemo<Scope>(() => ({ place: 'policy', discovery, entity: permission.entity }), [discovery, permission.entity]);
  return (
    <>
      <ConditionRows
        entity={permission.entity}
        conditions={permission.conditions}
        onChange={(conditions) => set({ conditions: [...conditions] })}
      />
      <Expression
        label={t('expression')}
        hint={t('expression_hint')}
        value={permission.expression ?? ''}
        onChange={(expression) => set({ expression })}
        scope={scope}
        error={errorAt(error, 'expression')}
      />
    </>
  );
}

function WhichFields({ permission, set }: PartProps): ReactElement | null {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const names = entityNamed(discovery, permission.entity)?.fields.map(({ name }) => name) ?? [];
  const { action, fields } = permission;
  const change = (kind: 'read' | 'write', chosen: readonly string[]): void => {
    const { [kind]: _before, ...rest } = fields ?? {};
    set({ fields: chosen.length === 0 ? rest : { ...rest, [kind]: [...chosen] } });
  };
  const lists = [
    ...(action === 'read' || action === '*' ? ['read' as const] : []),
    ...(['create', 'update', '*'].includes(action) ? ['write' as const] : []),
  ];
  if (lists.length === 0 || permission.entity === '*') return null;
  return (
    <Box role="group" aria-label={t('fields_heading')} sx={{ display: 'grid', gap: 2 }}>
      {lists.map((kind) => (
        <Autocomplete
          key={kind}
          multiple
          disableCloseOnSelect
          size="small"
          options={names}
          value={[...(fields?.[kind] ?? [])]}
          onChange={(_, chosen) => change(kind, chosen)}
          renderInput={(params) => <TextField {...params} label={t(`fields_${kind}`)} helperText={t('fields_hint')} />}
        />
      ))}
    </Box>
  );
}
