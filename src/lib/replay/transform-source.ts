/** What a module made of a request, or why it made nothing. Words that its thread says, one for each thing asked. */
export type TransformWord =
  | { readonly type: 'ready' | 'no-function' }
  | { readonly type: 'made'; readonly value: unknown }
  | { readonly type: 'fault'; readonly reason: string; readonly stack?: string; readonly isSyntax?: boolean };

/**
 * Runs in a thread of its own, around the module of a person: what loops there, or never comes back, can be ended. As a
 * text, so that it is the same from sources and from a bundle. A payload that is no text becomes JSON here, where its
 * own `toJSON` is known.
 */
export const TRANSFORM_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const exit = process.exit;
const say = (word) => parentPort.postMessage(word);
const faultOf = (error) => {
  let reason = 'it threw something that cannot be told';
  try {
    if (error instanceof Error)
      return { type: 'fault', reason: error.name + ': ' + error.message, stack: String(error.stack), isSyntax: error instanceof SyntaxError };
    reason = String(error);
  } catch {}
  return { type: 'fault', reason };
};
const plain = (payload) => {
  if (payload === undefined || typeof payload === 'string') return payload;
  if (payload instanceof Uint8Array) return new Uint8Array(payload);
  const text = JSON.stringify(payload);
  if (text === undefined) throw new TypeError('a ' + typeof payload);
  return text;
};
const KEYS = ['id', 'subject', 'headers', 'payload'];
const wordOf = (made, id) => {
  if (typeof made === 'function' || typeof made === 'symbol') return { type: 'fault', reason: 'it returned a ' + typeof made + ', not a request' };
  if (typeof made !== 'object' || made === null || Array.isArray(made)) return { type: 'made', value: made };
  const { subject, headers, payload } = made;
  const other = Object.keys(made).find((key) => !KEYS.includes(key));
  if (other !== undefined) return { type: 'fault', reason: 'it returned a key ' + JSON.stringify(other) + ', which a request has not; it has ' + KEYS.join(', ') };
  if (made.id !== undefined && made.id !== id) return { type: 'fault', reason: 'it returned another id, which names the dead letter: only subject, headers and payload can be changed' };
  try {
    return { type: 'made', value: { subject, headers, payload: plain(payload) } };
  } catch (error) {
    return { type: 'fault', reason: 'its payload cannot be written as JSON: ' + faultOf(error).reason };
  }
};
(async () => {
  let transform;
  try {
    const found = (await import(workerData.url)).default;
    transform = typeof found === 'function' ? found : found?.default;
  } catch (error) {
    return say(faultOf(error));
  }
  parentPort.on('message', async (request) => {
    if (request === null) return exit(0);
    try {
      // Without a prototype: a header may be called anything.
      const headers = Object.assign(Object.create(null), request.headers);
      say(wordOf(await transform({ ...request, headers }), request.id));
    } catch (error) {
      say(faultOf(error));
    }
  });
  say({ type: typeof transform === 'function' ? 'ready' : 'no-function' });
})();
`;
