/** The small types that sections of the document share. */
import { z } from 'zod';

/** Field and entity names: also the names of columns and tables, so at most 63 bytes. */
export const NAME = /^[a-z][a-z0-9_]{0,62}$/;
export const name = z.string().regex(NAME, 'must match [a-z][a-z0-9_]* and have at most 63 characters');
export const stableId = z.string().min(1).max(64);
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** JSONata text. Familiar operators are rewritten before it is stored; whether it compiles is checked by the reviewer. */
export const expression = z.string().min(1).max(10_000);

/** `30m 4h 2d 1w` or ISO 8601 (`PT30M`, `P2D`). */
export const durationText = /^(\d+(\.\d+)?(ms|s|m|h|d|w)|P(?=.)(\d+W|(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?))$/;
export const duration = z.string().regex(durationText, 'must be like 30m, 4h, 2d, 1w or ISO 8601');
