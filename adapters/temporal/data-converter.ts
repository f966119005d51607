import type { DataConverter } from '@temporalio/common';
import { KeyedCodec } from './codec.ts';

/** The one converter of api, workers and replay: what one writes the others must read. */
export const dataConverter: DataConverter = { payloadCodecs: [new KeyedCodec()] };
