/** Who may decide a task: asked by the api before it bothers the workflow, and by the workflow's activity again. */

export interface TaskAssignee {
  readonly type: 'role' | 'user' | 'admin';
  /** Lower case. */
  readonly role?: string;
  readonly user_ids?: readonly string[];
}

export interface Decider {
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  readonly id: string | null;
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
}

/** Undefined when they may, else the reason. */
export function refusalToDecide(
  decider: Decider,
  task: { readonly assignee: TaskAssignee; readonly requestedBy: string | null; readonly allowsSelfApproval: boolean },
): string | undefined {
  // The installation's operators stand outside the app: they are who a stuck approval is brought to.
  if (decider.kind === 'platform' || decider.kind === 'system') return undefined;
  if (!task.allowsSelfApproval && decider.id !== null && decider.id === task.requestedBy) {
    return 'You caused this run, so somebody else decides it (the step does not set allow_self_approval).';
  }
  if (decider.isAdmin || isAssigned(decider, task.assignee)) return undefined;
  switch (task.assignee.type) {
    case 'role':
      return `Only somebody with the role "${task.assignee.role ?? ''}" may decide this task.`;
    case 'user':
      return 'This task is assigned to somebody else.';
    case 'admin':
      return 'Only an admin may decide this task.';
  }
}

function isAssigned(decider: Decider, assignee: TaskAssignee): boolean {
  if (assignee.type === 'role') return decider.roles.some((role) => role.toLowerCase() === assignee.role);
  return decider.id !== null && (assignee.user_ids ?? []).includes(decider.id);
}
