/** Which workflow definitions an event starts. Pure: the relay's first stage calls it for each event of the log. */
import type { WorkflowDefinition } from '../../core/model/document.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { compileExpression, isTrue } from '../../core/expression/expression.ts';
import { processWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ProcessInput } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';
import { type EventRow, MAX_DEPTH, recordBefore } from '../events.ts';
import { runIdOf } from './run-id.ts';
import { isOneOf, isSame } from './values.ts';

export interface TriggeredProcess {
  readonly definition: WorkflowDefinition;
  readonly workflowId: string;
  readonly input: ProcessInput;
}

/** The starts an event asks for. A condition that needs more than the event is left to the run's first step. */
export function matchTriggers(app: AppRuntime, event: EventRow): TriggeredProcess[] {
  if (event.depth > MAX_DEPTH) return [];
  if (event.action === 'custom') return matchCustom(app, event);
  const entity = app.model.entities.get(event.entity);
  return (
    app
      .memo(matchTriggers, byEntity)
      .get(event.entity)
      ?.flatMap((definition) => {
        if (!hasHappened(definition, event)) return [];
        const verdict = checkCondition(definition, event, entity);
        return verdict === 'no' ? [] : [toStart(app, definition, event, verdict === 'ask')];
      }) ?? []
  );
}

/** Custom events start what names them; an inbound hook is an event of its own, for its definition alone. */
function matchCustom(app: AppRuntime, event: EventRow): TriggeredProcess[] {
  const name = event.record?.['event'];
  return app.model.workflows.flatMap((definition) => {
    const { trigger } = definition;
    const isMeant =
      (trigger.type === 'event' && trigger.event === name) ||
      (trigger.type === 'webhook' && name === hookEvent(definition.id ?? definition.name));
    if (!definition.active || !isMeant) return [];
    // What a condition reads of it, the run's first step has.
    return [toStart(app, definition, event, trigger.condition !== undefined)];
  });
}

/** The custom event that an inbound hook writes; no `send_event` may have a name like this. */
export const hookEvent = (definitionId: string): string => `hook:${definitionId}`;

function byEntity(app: AppRuntime): ReadonlyMap<string, readonly WorkflowDefinition[]> {
  const groups = new Map<string, WorkflowDefinition[]>();
  for (const definition of app.model.workflows) {
    const { entity } = definition.trigger;
    if (definition.active && entity !== undefined) groups.set(entity, [...(groups.get(entity) ?? []), definition]);
  }
  return groups;
}

function hasHappened({ trigger }: WorkflowDefinition, event: EventRow): boolean {
  switch (trigger.type) {
    case 'record_created':
      return event.action === 'create';
    case 'record_deleted':
      return event.action === 'delete';
    case 'record_updated':
      return event.action === 'update' && (trigger.field === undefined || isTransition(trigger, event, trigger.field));
    case 'state_change':
      return (
        (event.action === 'create' || event.action === 'update') &&
        trigger.field !== undefined &&
        isTransition(trigger, event, trigger.field)
      );
    default:
      return false;
  }
}

/** A creation is a change from nothing, so it matches no `from`. */
function isTransition(trigger: WorkflowDefinition['trigger'], event: EventRow, field: string): boolean {
  const isCreate = event.action === 'create';
  const after = event.record?.[field] ?? null;
  const before = isCreate ? null : event.old !== null && field in event.old ? (event.old[field] ?? null) : after;
  if (isSame(before, after)) return false;
  if (trigger.from !== undefined && (isCreate ? !isOneOf(trigger.from, null) : !isOneOf(trigger.from, before))) return false;
  return trigger.to === undefined || isOneOf(trigger.to, after);
}

/** `ask`: the run's first step decides, because the condition reads related records or takes whole JSONata. */
function checkCondition({ trigger }: WorkflowDefinition, event: EventRow, entity: EntityModel | undefined): 'yes' | 'no' | 'ask' {
  if (trigger.condition === undefined) return 'yes';
  const expression = compileExpression(trigger.condition);
  const readsRelations = expression.recordPaths.some(
    ([head, next]) => next !== undefined && head !== undefined && entity?.fields.has(head) !== true,
  );
  if (!expression.isCommon || readsRelations) return 'ask';
  const old = recordBefore(event);
  const record = event.record ?? event.old;
  const holds = expression.evaluate({
    record,
    old,
    action: event.action,
    now: event.at,
    user: event.actor,
    context: {},
    trigger: { type: trigger.type, entity: event.entity, record_id: event.record_id, record, old, user: event.actor, action: event.action },
  });
  return isTrue(holds) ? 'yes' : 'no';
}

function toStart(app: AppRuntime, definition: WorkflowDefinition, event: EventRow, mustAsk: boolean): TriggeredProcess {
  const workflowId = processWorkflowId(app.id, event.seq, definition.id ?? definition.name);
  return {
    definition,
    workflowId,
    input: {
      app: app.id,
      runId: runIdOf(workflowId),
      definition: definitionOf(definition, mustAsk),
      schemaVersion: app.version,
      trigger: {
        type: definition.trigger.type,
        eventSeq: event.seq,
        entity: event.entity === '' ? null : event.entity,
        recordId: event.record_id === '' ? null : event.record_id,
        ...(event.action === 'custom' ? { event: String(event.record?.['event'] ?? '') } : {}),
        actor: { kind: event.actor.kind, id: event.actor.id, roles: event.actor.roles },
        depth: event.depth,
      },
    },
  };
}

/** What a run carries of its definition. */
export function definitionOf(definition: WorkflowDefinition, mustAsk: boolean): ProcessInput['definition'] {
  const { condition } = definition.trigger;
  return {
    id: definition.id ?? definition.name,
    name: definition.name,
    steps: definition.steps,
    context: definition.context,
    ...(mustAsk && condition !== undefined ? { condition } : {}),
  };
}
