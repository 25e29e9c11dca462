/** A request whose last delivery failed, and that is tried again. Known where its worker wrote it down. */
export interface Failing {
  readonly queue: string;
  readonly consumer: string;
  readonly seq: number;
  readonly request_id: string | null;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** After so many it is dead; null without end. */
  readonly max_deliver: number | null;
  /** RFC 3339: its next try, or the try that a worker has now. */
  readonly next_delivery_at: string | null;
  /** `retry` waits for it; `in_flight`: a worker has it. */
  readonly state: 'retry' | 'in_flight';
  /** Why the last one failed. */
  readonly detail: string;
}

/** What fails now in a queue, the nearest to its death first. */
export interface FailingFigures {
  /** In flight and delivered before; as far as a worker tells, after a first failure too. */
  readonly count: number;
  /** Of these, those of which a worker wrote down why. */
  readonly noted: number;
  /** Of the noted ones, those that are dead if their next try fails. */
  readonly last_try: number;
  /** The first of the noted ones. */
  readonly known: readonly Failing[];
  /** Without an ack or a word of its worker each is tried again within this; null where nothing is in flight. */
  readonly longest_wait_seconds: number | null;
}

/** Tries that are left; infinite without end. */
export const triesLeft = ({ deliveries, max_deliver: most }: Failing): number =>
  most === null ? Number.POSITIVE_INFINITY : Math.max(0, most - deliveries);

/** The fewest tries left first, then the next one first. */
export function byDeath(a: Failing, b: Failing): number {
  const [left, right] = [triesLeft(a), triesLeft(b)];
  return left === right ? Date.parse(a.next_delivery_at ?? '') - Date.parse(b.next_delivery_at ?? '') : left - right;
}
