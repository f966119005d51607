/** What every part of the builder's forms knows besides its own value. */
import { createContext, useContext } from 'react';
import type { ExpressionScope } from '../../../../core/expression/expression.ts';
import type { Scope } from '../../expressions/scope.ts';

export interface Builder {
  readonly scope: Scope;
  /** The values of the record that expressions are tried on, where one is chosen. */
  readonly sample: ExpressionScope | undefined;
  readonly roles: readonly string[];
  readonly webhooks: readonly string[];
  readonly functions: readonly string[];
  /** Definitions that wait to be started. */
  readonly startable: readonly string[];
  /** An id that no step has. */
  readonly freeId: (base: string) => string;
  /** What is wrong at a path within the definition: `steps.0.duration`. */
  readonly errorAt: (path: string) => string | undefined;
}

const BuilderContext = createContext<Builder | undefined>(undefined);
export const BuilderProvider = BuilderContext.Provider;

export function useBuilder(): Builder {
  const builder = useContext(BuilderContext);
  if (builder === undefined) throw new Error('Forms of workflows stand inside a <BuilderProvider>.');
  return builder;
}
