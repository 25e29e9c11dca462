//   The holder of a lock may write as long as nobody can think it dead:
//
//   renewal sent ─────────────── giveUp ───── length
//   │ the holder writes          │ nobody     │ whoever watched the lock all the while takes it
//
//   What is counted from is when the last renewal that was confirmed was SENT: the server stored it later than that, and
//   whoever watches it saw it later still. What it is counted by is every clock there is, and the one that counted most
//   decides: a process that is stopped sees all of them go on; while a machine sleeps its monotonic clock stands, its
//   boot clock goes on, and its wall clock jumps when it wakes.

/** How a lock lives and ends, in milliseconds; the same for all who share it. */
export interface Lease {
  /** A lock that was not renewed for so long is anybody's. */
  readonly lengthMs: number;
  readonly renewMs: number;
  /** The holder writes nothing more. The rest of the length is for what is on its way, and for clocks that differ. */
  readonly giveUpMs: number;
}

export const LEASE: Lease = { lengthMs: 15_000, renewMs: 5000, giveUpMs: 12_000 };

/** What the clocks say at one moment, in milliseconds. Only differences mean anything. */
export interface Clocks {
  /** Never goes back; stands still while the machine sleeps. */
  readonly monotonic: number;
  /** Since the machine was started; goes on while it sleeps. */
  readonly boot: number;
  /** May be set back and forth. */
  readonly wall: number;
}

/** The most that may have passed between two moments, in milliseconds. */
export const mostElapsed = (from: Clocks, to: Clocks): number =>
  Math.max(to.monotonic - from.monotonic, to.boot - from.boot, to.wall - from.wall);

/** How much longer the turn is surely the holder's, in milliseconds; 0 or less: it may be somebody else's. */
export const turnLeft = ({ giveUpMs }: Lease, renewalSent: Clocks, now: Clocks): number =>
  giveUpMs - mostElapsed(renewalSent, now);
