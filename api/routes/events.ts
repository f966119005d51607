/** `/api/:app/_events`: what changes, as a stream of server-sent events or page by page. */
import type { ServerResponse } from 'node:http';
import { looksLikeKey } from '../../adapters/api-keys.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Actor, AppContext, AppRuntime } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import type { Listener } from '../../operations/realtime/hub.ts';
import { eventsPage } from '../../operations/realtime/page.ts';
import { makeTicket, redeemTicket } from '../../operations/realtime/tickets.ts';
import { readWish, viewsOf, type Wish } from '../../operations/realtime/view.ts';
import type { Api } from '../api.ts';
import { credentialOf, realmOf, verifyCredential, type Credential } from '../authenticate.ts';
import { dataAnswer, NO_STORE, textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, noBodyOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

/** With `?ticket=` it is the one the ticket stands for. */
export async function eventsCredential(api: Api, call: Call, app: AppRuntime): Promise<Credential> {
  const ticket = call.method === 'GET' ? call.query.get('ticket') : null;
  if (ticket === null) return credentialOf(call);
  if (!isStream(call))
    throw new AppError('INVALID_VALUE', 'A ticket opens a stream.', { hint: 'Send Accept: text/event-stream, or a credential.' });
  const text = await redeemTicket(api.services, app, ticket);
  return { text, isKey: looksLikeKey(text) };
}

export async function eventsRoute(api: Api, ctx: AppContext, call: Call, rest: readonly string[], credential: Credential): Promise<Answer> {
  const [verb, ...more] = rest;
  if (verb === 'ticket' && more.length === 0 && call.method === 'POST') {
    call.route = '/api/:app/_events/ticket';
    checkParameters(call.query, []);
    await noBodyOf(call, '_events/ticket');
    return dataAnswer(await makeTicket(ctx.services, ctx.app, credential.text), 201, NO_STORE);
  }
  if (verb !== undefined || call.method !== 'GET') throw noSuchRoute(call);
  call.route = '/api/:app/_events';
  const wish = wishOf(call);
  if (!isStream(call)) return textAnswer(await withFreshSchema(ctx, (fresh) => eventsPage(fresh, wish)));
  return streamAnswer(api, ctx, call, wish, credential);
}

const isStream = (call: Call): boolean => headerOf(call, 'accept')?.toLowerCase().includes('text/event-stream') === true;

/** A browser that connects again sends the last id it has, with the same query as before. */
function wishOf(call: Call): Wish {
  const wish = readWish(call.query);
  const last = headerOf(call, 'last-event-id');
  return last === undefined || last === '' ? wish : { ...wish, after: last };
}

const SSE = 'text/event-stream; charset=utf-8';
const HEADERS = { ...NO_STORE, 'X-Accel-Buffering': 'no' };

async function streamAnswer(api: Api, ctx: AppContext, call: Call, wish: Wish, credential: Credential): Promise<Answer> {
  if (headerOf(call, 'x-as-user') !== undefined)
    throw new AppError('FORBIDDEN', 'A stream is opened by whoever listens: X-As-User does not open one.', {
      hint: 'Read pages instead, without Accept: text/event-stream.',
    });
  // What is wrong with the request is said before the stream begins.
  const fresh = await withFreshSchema(ctx, (own) => {
    viewsOf(own, wish);
    return Promise.resolve(own);
  });
  if (call.request.method !== 'HEAD') refuseTooMany(api, fresh);
  const live = (response: ServerResponse): void => {
    const listener = listenerOf(api, fresh, wish, credential, response);
    api.realtime.open(listener).then(
      (leave) => (response.destroyed ? leave() : response.once('close', leave)),
      (error: unknown) => listener.end(isAppError(error) ? error : new AppError('UNAVAILABLE', 'The stream could not begin.'), 1_000),
    );
  };
  return { status: 200, text: '', type: SSE, headers: HEADERS, live };
}

function refuseTooMany({ realtime, services }: Api, { app, actor }: AppContext): void {
  const { perProcess, perApp, perUser } = services.config.streams;
  const isSame = (other: Actor): boolean => (actor.keyId === undefined ? other.id === actor.id : other.keyId === actor.keyId);
  const passed =
    realtime.size >= perProcess
      ? `This process holds ${perProcess} streams`
      : realtime.sizeOf(app.id) >= perApp
        ? `This app has ${perApp} streams here`
        : realtime.sizeOf(app.id, isSame) >= perUser
          ? `You have ${perUser} streams here`
          : undefined;
  if (passed === undefined) return;
  throw new AppError('RATE_LIMITED', `${passed}, which is as many as there may be.`, {
    hint: 'Close streams that are not needed: one stream can listen to many entities.',
    retryAfter: 10,
  });
}

/** What may wait in a client's socket. */
const MAX_WAITING_BYTES = 256 * 1024;
/** How long a client that catches up may take to make room. */
const STALLED_MS = 30_000;

function listenerOf(api: Api, ctx: AppContext, wish: Wish, credential: Credential, response: ServerResponse): Listener {
  return {
    ctx,
    wish,
    caller: async () => (await verifyCredential(api, credential, realmOf(ctx.app))).actor,
    deliver(text) {
      if (response.destroyed || response.writableEnded) return false;
      if (response.writableLength > MAX_WAITING_BYTES) {
        // It resumes by its id; what waits for it is given up with the connection.
        response.destroy();
        return false;
      }
      response.write(text);
      return true;
    },
    room: () => roomIn(response),
    end(reason, retryMs) {
      if (response.destroyed || response.writableEnded) return;
      response.end(`retry: ${retryMs}\nevent: end\ndata: ${JSON.stringify(toldReason(reason))}\n\n`);
      // A client that does not read does not keep the process.
      setTimeout(() => response.destroy(), STALLED_MS).unref();
    },
  };
}

const toldReason = ({ code, message, hint }: AppError): object => ({ code, message, ...(hint === undefined ? {} : { hint }) });

function roomIn(response: ServerResponse): Promise<boolean> {
  if (response.destroyed || response.writableEnded) return Promise.resolve(false);
  if (!response.writableNeedDrain) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      response.off('drain', settle).off('close', settle);
      resolve(!response.destroyed);
    };
    const timer = setTimeout(() => {
      response.destroy();
      settle();
    }, STALLED_MS);
    response.on('drain', settle).on('close', settle);
  });
}
