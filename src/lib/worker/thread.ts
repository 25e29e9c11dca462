import type { HandlerContext } from './handler.ts';

/** What the thread of a handler is given for one request. */
export interface ThreadTask {
  readonly run: number;
  readonly payload: Uint8Array;
  readonly id: string;
  readonly facts: Omit<HandlerContext, 'payload' | 'retry' | 'reject' | 'log'>;
}

/** What it is told: requests, or to say that it is there. One that was silent gives back what it has not begun. */
export type ThreadOrder =
  | { readonly type: 'tasks'; readonly tasks: readonly ThreadTask[] }
  | { readonly type: 'ping'; readonly givesBack: boolean };

/** What it says of itself: the module is loaded, cannot be, something broke of which nobody knows whose it is, it is there. */
type OwnWord =
  | { readonly type: 'ready' }
  | { readonly type: 'pong' }
  | { readonly type: 'unloadable'; readonly reason: string; readonly place?: string }
  | { readonly type: 'fault'; readonly what: string };

/** What it says of a request. */
export type RunWord = { readonly run: number } & (
  | { readonly type: 'log'; readonly message: string }
  | { readonly type: 'print'; readonly message: string }
  | { readonly type: 'answer'; readonly value: string | Uint8Array }
  | { readonly type: 'retry'; readonly reason: string; readonly delayMs?: number }
  | { readonly type: 'reject' | 'failure'; readonly reason: string }
  | { readonly type: 'unbegun' }
  /** It threw outside of its own call, or called `process.exit`: the thread is not to be trusted any more. */
  | { readonly type: 'threw'; readonly what: string }
  | { readonly type: 'exited'; readonly code: number }
);

export type ThreadWord = OwnWord | RunWord;

/**
 * Runs in a thread of its own, around the module of a person: imports it, then does requests, each in an asynchronous
 * context of its own, which tells whose a line, an error or an exit is. Words and requests go many in a message. As a
 * text, so that it is the same from sources and from a bundle, and needs no file beside it.
 */
export const THREAD_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { AsyncLocalStorage } = require('node:async_hooks');
const { setImmediate } = require('node:timers');
const { performance } = require('node:perf_hooks');
// How long requests are begun before others are heard, in milliseconds.
const SLICE_MS = 5;
const current = new AsyncLocalStorage();
const exit = process.exit;
let words = [];
const flush = () => {
  if (words.length === 0) return;
  const said = words;
  words = [];
  parentPort.postMessage(said);
};
const say = (word) => {
  if (words.push(word) === 1) setImmediate(flush);
};
const sayNow = (word) => {
  words.push(word);
  flush();
};
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
// Thrown where a request calls process.exit: it goes no further, and the others in the thread go on.
const exited = new Error('the handler ended its process');
const guard = () => {
  process.exit = (code = process.exitCode ?? 0) => {
    const run = current.getStore();
    if (run === undefined) exit(code);
    sayNow({ type: 'exited', run, code: Number(code) });
    throw exited;
  };
  const onFault = (event) => (error) => {
    if (error === exited || process.listenerCount(event) > 1) return;
    const what = error instanceof Error ? text(error.name) + ': ' + text(error.message) : text(error);
    const run = current.getStore();
    if (run !== undefined) return sayNow({ type: 'threw', run, what });
    sayNow({ type: 'fault', what });
    exit(1);
  };
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, onFault(event));
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk, encoding, done) => {
      const run = current.getStore();
      if (run === undefined) return write(chunk, encoding, done);
      sayNow({ type: 'print', run, message: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8') });
      const told = typeof encoding === 'function' ? encoding : done;
      if (told) process.nextTick(told);
      return true;
    };
  }
};
(async () => {
  let handler;
  try {
    const module = await import(workerData.url);
    handler = module.default ?? module.handler;
    if (typeof handler !== 'function' && typeof handler?.default === 'function') handler = handler.default;
    if (typeof handler !== 'function') throw new TypeError('it has no function as its default export');
  } catch (error) {
    sayNow({ type: 'unloadable', reason: reasonOf(error), place: placeOf(error) });
    exit(0);
  }
  guard();
  const begin = async ({ run, payload, id, facts }) => {
    const stop = (type, reason, extra) => { throw { [ending]: true, type, reason: text(reason), ...extra }; };
    const context = {
      ...facts,
      payload,
      retry: (reason = 'the handler asked for a later delivery', options) => stop('retry', reason, { delayMs: options?.delayMs }),
      reject: (reason = 'the handler rejected it') => stop('reject', reason),
      log: (message) => sayNow({ type: 'log', run, message: text(message) }),
    };
    try {
      const body = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8'));
      say(settle(run, await handler({ ...body, id }, context)));
    } catch (error) {
      if (error === exited) return;
      if (error?.[ending]) say({ type: error.type, run, reason: error.reason, delayMs: error.delayMs });
      else say({ type: 'failure', run, reason: reasonOf(error) });
    }
  };
  const waiting = [];
  let isBeginning = false;
  const beginAll = () => {
    const until = performance.now() + SLICE_MS;
    while (waiting.length > 0) {
      const task = waiting.shift();
      current.run(task.run, begin, task);
      if (performance.now() < until) continue;
      flush();
      setImmediate(beginAll);
      return;
    }
    isBeginning = false;
  };
  parentPort.on('message', ({ type, tasks, givesBack }) => {
    if (type === 'ping') {
      if (givesBack) for (const { run } of waiting.splice(0)) say({ type: 'unbegun', run });
      return sayNow({ type: 'pong' });
    }
    waiting.push(...tasks);
    if (isBeginning) return;
    isBeginning = true;
    beginAll();
  });
  sayNow({ type: 'ready' });
})();
`;
