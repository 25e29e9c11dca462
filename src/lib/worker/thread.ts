/** What the thread of a handler is given for one request. */
export interface ThreadTask {
  readonly run: number;
  readonly payload: Uint8Array;
  readonly id: string;
  readonly facts: {
    readonly subject: string;
    readonly headers: Readonly<Record<string, readonly string[]>>;
    readonly delivery: number;
    readonly maxDeliver: number;
    readonly stream: string;
    readonly consumer: string;
    readonly seq: number;
    readonly publishedAt: string;
    readonly deadline: number;
    readonly traceparent?: string;
    readonly tracestate?: string;
  };
}

/** What it says: that the module is loaded, that it cannot be, a line for the log, or what came of a request. */
export type ThreadWord =
  | { readonly type: 'ready' }
  | { readonly type: 'unloadable'; readonly reason: string; readonly place?: string }
  | { readonly type: 'log'; readonly run: number; readonly message: string }
  | { readonly type: 'answer'; readonly run: number; readonly value: string | Uint8Array }
  | { readonly type: 'retry'; readonly run: number; readonly reason: string; readonly delayMs?: number }
  | { readonly type: 'reject' | 'failure'; readonly run: number; readonly reason: string };

/**
 * Runs in a thread of its own, around the module of a person: imports it, then does one request after another. As a
 * text, so that it is the same from sources and from a bundle, and needs no file beside it.
 */
export const THREAD_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const say = (word) => parentPort.postMessage(word);
const ending = Symbol('ending');
const text = (value) => {
  try { return String(value); } catch { return 'something that cannot be told'; }
};
const reasonOf = (error) => {
  try {
    if (error instanceof Error) return (error.name === 'Error' ? '' : error.name + ': ') + error.message || error.name;
  } catch {}
  return 'threw ' + text(error);
};
const placeOf = (error) => {
  try { return /(file:\\/\\/|^\\/|^[a-z]:)[^\\n()]+?:\\d+(?=:|$)/im.exec(error.stack)?.[0]; } catch {}
};
const settle = (run, value) => {
  if (typeof value === 'string') return { type: 'answer', run, value };
  if (value instanceof Uint8Array) return { type: 'answer', run, value: new Uint8Array(value) };
  if (value === undefined) {
    return { type: 'failure', run, reason: 'the handler returned nothing; return null for an empty response' };
  }
  let json;
  try { json = JSON.stringify(value); } catch (error) {
    return { type: 'failure', run, reason: 'what the handler returned cannot be written as JSON: ' + reasonOf(error) };
  }
  if (json === undefined) return { type: 'failure', run, reason: 'the handler returned a ' + typeof value };
  return { type: 'answer', run, value: json };
};
(async () => {
  let handler;
  try {
    const module = await import(workerData.url);
    handler = module.default ?? module.handler;
    if (typeof handler !== 'function' && typeof handler?.default === 'function') handler = handler.default;
    if (typeof handler !== 'function') throw new TypeError('it has no function as its default export');
  } catch (error) {
    say({ type: 'unloadable', reason: reasonOf(error), place: placeOf(error) });
    process.exit(0);
  }
  parentPort.on('message', async ({ run, payload, id, facts }) => {
    const stop = (type, reason, extra) => { throw { [ending]: true, type, reason: text(reason), ...extra }; };
    const context = {
      ...facts,
      payload,
      retry: (reason = 'the handler asked for a later delivery', options) => stop('retry', reason, { delayMs: options?.delayMs }),
      reject: (reason = 'the handler rejected it') => stop('reject', reason),
      log: (message) => say({ type: 'log', run, message: text(message) }),
    };
    try {
      const body = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
      say(settle(run, await handler({ ...body, id }, context)));
    } catch (error) {
      if (error?.[ending]) say({ type: error.type, run, reason: error.reason, delayMs: error.delayMs });
      else say({ type: 'failure', run, reason: reasonOf(error) });
    }
  });
  say({ type: 'ready' });
})();
`;
