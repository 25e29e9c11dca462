import { atLeast } from '../facts/versions.ts';
import { type Config, isObject, textOf } from '../model/json.ts';
import type { Nats } from './port.ts';

/** What was found out about a stream's reads, for as long as the connection lasts. */
interface Ways {
  /**
   * False where the stream does not answer direct gets, they are denied to us, or a mirror of it answers them too: that
   * one keeps what the stream has let go, and has not what came just now.
   */
  direct: boolean;
  /** False where its server takes one message for a batch, as 2.10 does. */
  batch: boolean;
  /** True where direct gets are all that is allowed to us. */
  only: boolean;
}
const ways = new WeakMap<Nats['nc'], Map<string, Ways>>();

export const isKnown = (nats: Nats, stream: string): boolean => ways.get(nats.nc)?.has(stream) === true;

export function waysOf(nats: Nats, stream: string): Ways {
  let known = ways.get(nats.nc);
  if (!known) {
    known = new Map();
    ways.set(nats.nc, known);
  }
  let way = known.get(stream);
  if (!way) {
    way = { direct: true, batch: atLeast(nats.target.server.version, '2.11.0'), only: false };
    known.set(stream, way);
  }
  return way;
}

const listed = new WeakSet<Nats['nc']>();

/** Notes what the configurations of all streams tell of each other's reads. */
export function noteMirrors(nats: Nats, configs: readonly Config[]): void {
  listed.add(nats.nc);
  for (const { mirror_direct: isDirect, mirror } of configs) {
    const origin = isObject(mirror) ? textOf(mirror.name) : '';
    if (isDirect === true && origin !== '') waysOf(nats, origin).direct = false;
  }
}

/**
 * Whether a direct get's word that there is nothing is the stream's own. Before all streams were listed it may be that of
 * a mirror which has not got that far; who may not ask the stream itself has no other word.
 */
export const isOwnWord = (nats: Nats, stream: string): boolean => listed.has(nats.nc) || waysOf(nats, stream).only;
