import type { Socket } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';

/** What must hold for a write to leave this process. */
export interface Gate {
  /** @throws OpsError where it may not hold any more */
  assertHeld(): void;
  /** Something is asked for, or written. */
  asked?(): void;
}

/** What asks the JetStream API and changes nothing. All else is a write. */
const READ = /^(?:INFO|STREAM\.(?:INFO|NAMES|LIST|MSG\.GET)|CONSUMER\.(?:INFO|NAMES|LIST)|DIRECT\.GET)(?:\.|$)/;

export const isWrite = (apiPrefix: string, subject: string): boolean =>
  !(subject.startsWith(`${apiPrefix}.`) && READ.test(subject.slice(apiPrefix.length + 1)));

/**
 * What removes, or sets back, by a name or a number. By a second try another may stand there: it is sent once, or again
 * after a look (`askRemoval`).
 */
const REMOVAL = /^(?:STREAM\.(?:DELETE|PURGE|MSG\.DELETE)|CONSUMER\.(?:DELETE|RESET))\./;

export const isRemoval = (name: string): boolean => REMOVAL.test(name);

/** The client's own buffer, which it hands to the socket at the end of each turn of the event loop. */
interface Insides {
  readonly protocol: {
    readonly outbound: { size(): number; drain(): Uint8Array; reset(): void };
    readonly transport: { readonly socket?: Socket };
    readonly infoReceived: boolean;
    readonly connected: boolean;
    flushPending(): void;
  };
}

/** The last door before the socket. */
export interface Door {
  /** What is buffered from now to the next flush goes only while this holds. */
  mind(gate: Gate): void;
  /** Resets the connection, so that nothing that is buffered goes, here or in the kernel. It comes back by itself. */
  cut(): void;
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly gates: ReadonlySet<Gate>;
}

const doors = new WeakMap<NatsConnection, Door>();

/**
 * A process may be stopped between the moment a write is allowed and the moment its bytes reach the socket, and go on
 * when somebody else is at work. So what stands behind a gate is asked for again where the client flushes, and one
 * flush goes to the socket at a time: what libuv holds, a congested socket takes when the process goes on, before
 * any of our code runs.
 */
export function doorOf(nc: NatsConnection): Door {
  let door = doors.get(nc);
  if (!door) {
    door = openDoor(nc as unknown as Insides);
    doors.set(nc, door);
  }
  return door;
}

function isOpen(gate: Gate): boolean {
  try {
    gate.assertHeld();
    return true;
  } catch {
    return false;
  }
}

function openDoor({ protocol }: Insides): Door {
  const flush = protocol.flushPending.bind(protocol);
  let gates = new Set<Gate>();
  let frames: Frame[] = [];
  let served: Socket | undefined;

  const pump = () => {
    while (served && frames.length > 0 && served.writableLength === 0) {
      const frame = frames.shift()!;
      if (![...frame.gates].every(isOpen)) return cut();
      served.write(frame.bytes, pump);
    }
  };
  const cut = () => {
    frames = [];
    gates = new Set();
    protocol.outbound.reset();
    const { socket } = protocol.transport;
    // Under TLS the socket below is the one that can be reset.
    const raw = (socket as { _parent?: Socket } | undefined)?._parent ?? socket;
    // A plain close would let the kernel send what it holds; arming the reset alone waits for what libuv holds.
    raw?.resetAndDestroy();
    raw?.destroy();
    socket?.destroy();
  };
  protocol.flushPending = () => {
    if (gates.size === 0 && frames.length === 0) return flush();
    if (!protocol.infoReceived || !protocol.connected) return;
    // What waited for another socket went with it, as the client's own buffer does.
    if (served !== protocol.transport.socket) frames = [];
    served = protocol.transport.socket;
    if (protocol.outbound.size() > 0) frames.push({ bytes: protocol.outbound.drain(), gates });
    gates = new Set();
    pump();
  };
  return { mind: (gate) => void gates.add(gate), cut };
}
