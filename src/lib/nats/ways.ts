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
    way = { direct: true, batch: atLeast(nats.target.server.version, '2.11.0') };
    known.set(stream, way);
  }
  return way;
}

/** Notes what a stream's configuration tells of another's reads. */
export function noteMirror(nats: Nats, { mirror_direct: isDirect, mirror }: Config): void {
  const origin = isObject(mirror) ? textOf(mirror.name) : '';
  if (isDirect === true && origin !== '') waysOf(nats, origin).direct = false;
}
