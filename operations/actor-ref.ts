import type { ActorRef } from '../workflows/contracts/types.ts';
import type { Actor } from './context.ts';

/** An actor as durable work keeps it. */
export const actorRef = ({ kind, id, roles, by }: Actor): ActorRef => ({ kind, id, roles, ...(by === undefined ? {} : { by }) });
