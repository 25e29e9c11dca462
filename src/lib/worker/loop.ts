import type { OpsError } from '../errors/ops-error.ts';
import type { WorkerEnd, WorkerEvent } from '../model/worker.ts';
import type { Nats } from '../nats/connect.ts';
import { createPuller, type Delivery, type Puller } from '../nats/consume.ts';
import type { Failures } from './failures.ts';
import { Hand } from './hand.ts';
import type { Runner } from './job.ts';
import { createLeases, type Leases } from './lease.ts';
import { type Desk, giveBack, settle } from './settle.ts';
import { openResponses } from './store.ts';
import type { Tally } from './tally.ts';
import type { Timing } from './timing.ts';

export interface LoopOptions {
  readonly stream: string;
  readonly consumer: string;
  readonly bucket: string;
  readonly timing: Timing;
  readonly maxBatch?: number;
  readonly maxExpiresMs?: number;
  readonly runner: Runner;
  readonly failures: Failures;
  readonly tally: Tally;
  /** How many requests are worked on at once. */
  readonly concurrency: number;
  /** How many more are taken in hand, to be ready. Left out: as many again while the work is quick. */
  readonly prefetch?: number;
  /** The most deliveries to take. */
  readonly max?: number;
  /** Ends when nothing came for so long. */
  readonly idleExitMs?: number;
  /** How long work in hand may go on once we are told to stop. */
  readonly graceMs: number;
  /** Whether a stream captures rejects. Without one they are left to die, payload and all in the queue. */
  readonly keepsRejects: boolean;
  readonly signal: AbortSignal;
  readonly log: (event: WorkerEvent) => void;
}

export interface Loop {
  /** Deliveries in hand now. */
  inHand(): number;
  /** Resolves when nothing is in hand any more. Rejects with what makes all further work impossible. */
  readonly ended: Promise<WorkerEnd>;
}

/** How often it is looked whether nothing came for so long. */
const LOOK_MS = 50;

/** Works until told to stop: takes deliveries in hand, keeps their leases, hands them to the desk one after another. */
export function startLoop(nats: Nats, options: LoopOptions): Loop {
  const loop = new WorkLoop(nats, options);
  loop.start();
  return loop;
}

class WorkLoop implements Loop {
  readonly #nats: Nats;
  readonly #options: LoopOptions;
  readonly #desk: Desk;
  readonly #leases: Leases;
  readonly #hand: Hand<Delivery>;
  readonly #puller: Puller;
  readonly #end = Promise.withResolvers<WorkerEnd>();
  readonly #running = new Set<Promise<void>>();
  readonly #onAbort = () => void this.#stop('signal', this.#options.graceMs);
  #idle: NodeJS.Timeout | undefined;
  #lastWork = performance.now();
  #isStopping = false;
  /** What makes all further work impossible: told once what is in hand is given back. */
  #fault: OpsError | undefined;
  /** The grace is over: nothing waits for a server any more. */
  #isHurried = false;

  constructor(nats: Nats, options: LoopOptions) {
    this.#nats = nats;
    this.#options = options;
    const responses = openResponses(nats, options.bucket, () => this.#isHurried);
    this.#desk = { ...options, nats, responses, onFatal: (error) => this.#break(error) };
    this.#leases = createLeases(nats, options.timing);
    this.#hand = new Hand({ ...options, max: options.max ?? Number.POSITIVE_INFINITY });
    this.#puller = createPuller(nats, {
      ...options,
      wanted: (outstanding) => this.#hand.wanted(outstanding),
      onDelivery: (delivery) => this.#take(delivery),
      onTrouble: (message) => options.log({ level: 'warn', event: 'trouble', message }),
      onFatal: (error) => this.#break(error),
    });
  }

  inHand(): number {
    return this.#hand.size;
  }

  get ended(): Promise<WorkerEnd> {
    return this.#end.promise;
  }

  start(): void {
    const { signal, idleExitMs = Number.POSITIVE_INFINITY, graceMs } = this.#options;
    signal.addEventListener('abort', this.#onAbort);
    this.#idle = setInterval(() => {
      const isStill = this.inHand() === 0 && performance.now() - this.#lastWork >= idleExitMs;
      if (isStill) void this.#stop('idle', graceMs);
    }, LOOK_MS);
    if (signal.aborted) this.#onAbort();
    else this.#puller.pull();
  }

  #take(delivery: Delivery): void {
    if (!this.#hand.take(delivery)) {
      giveBack(this.#nats, delivery, 0);
      return;
    }
    this.#options.tally.add('taken');
    this.#leases.hold(delivery);
    this.#work();
  }

  #work(): void {
    for (let delivery = this.#hand.begin(); delivery; delivery = this.#hand.begin()) {
      const one = delivery;
      const began = performance.now();
      let isWorkedOn = true;
      const onWorked = () => {
        if (!isWorkedOn) return;
        isWorkedOn = false;
        this.#hand.settle(performance.now() - began);
        this.#goOn();
      };
      const running = settle(this.#desk, one, onWorked).finally(() => {
        onWorked();
        this.#running.delete(running);
        this.#done(one);
      });
      this.#running.add(running);
    }
  }

  #done(delivery: Delivery): void {
    this.#leases.release(delivery);
    this.#hand.done();
    this.#lastWork = performance.now();
    if (this.#hand.isThrough) void this.#stop('max', this.#options.graceMs);
    this.#goOn();
  }

  #goOn(): void {
    this.#work();
    this.#puller.pull();
  }

  #break(error: OpsError): void {
    this.#fault ??= error;
    void this.#stop('signal', 0);
  }

  /** Takes nothing more, gives back what is not begun, and waits for what is. */
  async #stop(why: WorkerEnd, graceMs: number): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearInterval(this.#idle);
    const { runner, signal, tally } = this.#options;
    signal.removeEventListener('abort', this.#onAbort);
    const left = this.#hand.close();
    // Before anything is given back: it would come to us again at once, and use up a delivery.
    const quiet = this.#puller.stop();
    for (const delivery of left) {
      this.#leases.release(delivery);
      tally.add('returned');
      giveBack(this.#nats, delivery, 0);
    }
    const late = setTimeout(() => {
      this.#isHurried = true;
      void runner.stop();
    }, graceMs);
    await quiet;
    await Promise.all(this.#running);
    clearTimeout(late);
    await runner.stop();
    this.#leases.stop();
    if (this.#fault) this.#end.reject(this.#fault);
    else this.#end.resolve(why);
  }
}
