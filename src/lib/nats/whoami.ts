import { isObject, textsOf } from '../model/json.ts';
import type { Nats } from './port.ts';

/** Allowed and denied subjects of one direction; no `allow` means everything. */
export interface SubjectLists {
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
}

/** What the server says of the user of a connection. */
export interface WhoAmI {
  readonly user: string;
  readonly publish: SubjectLists;
  readonly subscribe: SubjectLists;
  /** How far the server's clock is ahead of ours, in milliseconds, give or take `withinMs`. */
  readonly aheadMs?: number;
  readonly withinMs: number;
}

function listsOf(value: unknown): SubjectLists {
  if (!isObject(value)) return { deny: [] };
  const allow = textsOf(value.allow);
  return { ...(allow.length > 0 && { allow }), deny: textsOf(value.deny) };
}

/** Asks the server who we are, what we may and what time it is; `undefined` where it does not say. */
export async function askWhoAmI(nats: Nats): Promise<WhoAmI | undefined> {
  try {
    const sent = Date.now();
    const reply = await nats.request('$SYS.REQ.USER.INFO', '', { timeoutMs: Math.min(nats.settings.timeoutMs, 2000) });
    const received = Date.now();
    const answer = reply.json<Record<string, unknown>>();
    const data = isObject(answer.data) ? answer.data : {};
    const lists = isObject(data.permissions) ? data.permissions : {};
    const time = isObject(answer.server) ? Date.parse(String(answer.server.time)) : Number.NaN;
    return {
      user: String(data.user ?? ''),
      publish: listsOf(lists.publish),
      subscribe: listsOf(lists.subscribe),
      ...(!Number.isNaN(time) && { aheadMs: time - (sent + received) / 2 }),
      withinMs: (received - sent) / 2 + 1,
    };
  } catch {
    return undefined;
  }
}
