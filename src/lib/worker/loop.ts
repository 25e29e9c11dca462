import type { OpsError } from '../errors/ops-error.ts';
import { rejectedSubject } from '../facts/names.ts';
import type { WorkerEnd, WorkerEvent } from '../model/worker.ts';
import type { Nats } from '../nats/connect.ts';
import { ACK, acknowledge, confirm, createPuller, type Delivery, nak, term } from '../nats/consume.ts';
import { publish } from '../nats/message-writes.ts';
import type { FailureNote, Failures } from './failures.ts';
import { type Job, type Outcome, type Runner, readJob } from './job.ts';
import { createLeases } from './lease.ts';
import { rejectHeaders } from './reject.ts';
import { openResponses } from './store.ts';
import type { Tally } from './tally.ts';
import { isLast, retryDelayMs, type Timing } from './timing.ts';

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
  /** How many more are taken in hand, to be ready. */
  readonly prefetch: number;
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

/** Works until told to stop. Whatever becomes of a delivery: it is answered, given back, rejected, or left to its lease. */
export function startLoop(nats: Nats, options: LoopOptions): Loop {
  const { runner, failures, tally, timing, log, concurrency, max = Number.POSITIVE_INFINITY } = options;
  const leases = createLeases(nats, timing);
  const waiting: Delivery[] = [];
  let active = 0;
  let accepted = 0;
  let lastWork = performance.now();
  let end: WorkerEnd | undefined;
  let hurried = false;
  let finish: (end: WorkerEnd) => void = () => {};
  let fail: (error: OpsError) => void = () => {};
  const ended = new Promise<WorkerEnd>((done, broken) => {
    finish = done;
    fail = broken;
  });
  const responses = openResponses(nats, options.bucket, () => hurried);

  const puller = createPuller(nats, {
    ...options,
    wanted(outstanding) {
      const capacity = concurrency + options.prefetch;
      const room = Math.min(capacity - active - waiting.length, max - accepted) - outstanding;
      // Asking for one after another costs a round trip for each: only where nothing else is under way.
      return outstanding === 0 || room >= capacity / 2 ? room : 0;
    },
    onDelivery(delivery) {
      if (end !== undefined || accepted >= max) return acknowledge(nats, delivery, nak(0));
      accepted++;
      tally.add('taken');
      leases.hold(delivery);
      waiting.push(delivery);
      next();
    },
    onTrouble: (message) => log({ level: 'warn', event: 'trouble', message }),
    onFatal: (error) => {
      fail(error);
      void stop('signal', 0);
    },
  });

  function next(): void {
    while (active < concurrency && waiting.length > 0) {
      const delivery = waiting.shift()!;
      active++;
      void handle(delivery).finally(() => {
        leases.release(delivery);
        active--;
        lastWork = performance.now();
        if (tally.counts.taken >= max && active + waiting.length === 0) void stop('max', options.graceMs);
        next();
        puller.pull();
      });
    }
  }

  async function handle(delivery: Delivery): Promise<void> {
    const started = performance.now();
    const tell = (level: WorkerEvent['level'], event: string, message: string, extra: Partial<WorkerEvent> = {}) =>
      log({
        level,
        event,
        message,
        seq: delivery.seq,
        subject: delivery.subject,
        delivery: delivery.delivery,
        ms: Math.round((performance.now() - started) * 10) / 10,
        ...extra,
      });
    let id: string | undefined;
    try {
      const job = readJob(delivery, timing.maxDeliver);
      if ('reject' in job) return await reject(delivery, job.reject, undefined, tell);
      id = job.id;
      if (delivery.delivery > 1 && (await responses.isAnswered(id, delivery.publishedUs))) {
        return await alreadyAnswered(delivery, id, tell);
      }
      await conclude(job, await runner.run(job), tell);
    } catch (error) {
      // Nothing is known of the delivery any more: what it needs is another one.
      const reason = (error as Error).message;
      tally.add('failed');
      tell('error', 'failed', 'the work on a request broke off', {
        reason,
        ...(id !== undefined && { request_id: id }),
      });
      giveBack(delivery, retryDelayMs(timing, delivery.delivery));
    }
  }

  type Tell = (level: WorkerEvent['level'], event: string, message: string, extra?: Partial<WorkerEvent>) => void;

  async function conclude(job: Job, outcome: Outcome, tell: Tell): Promise<void> {
    const { delivery, id } = job;
    switch (outcome.type) {
      case 'answer':
        return store(job, outcome.value, tell);
      case 'reject':
        return reject(delivery, outcome.reason, id, tell);
      case 'retry':
      case 'failure': {
        const kind = outcome.type === 'retry' ? 'retry' : 'failed';
        const delay =
          (outcome.type === 'retry' ? outcome.delayMs : undefined) ?? retryDelayMs(timing, delivery.delivery);
        tally.add(outcome.type === 'retry' ? 'retried' : 'failed');
        return later(delivery, { kind, reason: outcome.reason, id }, delay, tell);
      }
      case 'stopped':
        tally.add('returned');
        tally.add('cut_short');
        giveBack(delivery, 0);
        return tell('info', 'returned', 'given back unhandled', { request_id: id });
    }
  }

  async function store(job: Job, value: Uint8Array | string, tell: Tell): Promise<void> {
    const { delivery, id } = job;
    const stored = await responses.put(id, value, delivery.publishedUs);
    switch (stored.type) {
      case 'stored':
        tally.add('answered');
        await ack(delivery);
        return tell('debug', 'answered', 'answered', { request_id: id });
      case 'already':
        return alreadyAnswered(delivery, id, tell);
      case 'impossible':
        return reject(delivery, stored.reason, id, tell);
      case 'unstored': {
        tally.add('unstored');
        const { reason } = stored;
        return later(delivery, { kind: 'unstored', reason, id }, retryDelayMs(timing, delivery.delivery), tell);
      }
    }
  }

  /** A first delivery whose ack is lost comes again, and is found answered. A later one might be the last. */
  async function ack(delivery: Delivery): Promise<void> {
    if (delivery.delivery === 1 && !isLast(timing, 1)) return acknowledge(nats, delivery, ACK);
    await confirm(nats, delivery, ACK);
    if (delivery.delivery > 1) await failures.forget(delivery);
  }

  async function alreadyAnswered(delivery: Delivery, id: string, tell: Tell): Promise<void> {
    tally.add('already_answered');
    await ack(delivery);
    tell('info', 'already_answered', 'answered before: acked, not done again', { request_id: id });
  }

  async function later(delivery: Delivery, note: Omit<FailureNote, 'at'>, delayMs: number, tell: Tell): Promise<void> {
    const dies = isLast(timing, delivery.delivery);
    await failures.note(delivery, { ...note, at: new Date(), ...(!dies && { nextInMs: delayMs }) });
    giveBack(delivery, delayMs);
    const words = {
      failed: 'failed',
      retry: 'put off',
      unstored: 'its response could not be stored',
      rejected: 'rejected',
    };
    tell(
      dies || note.kind === 'unstored' ? 'error' : 'warn',
      note.kind,
      words[note.kind] + (dies ? ', for the last time: it is dead' : ''),
      {
        reason: note.reason,
        ...(note.id !== undefined && { request_id: note.id }),
        ...(!dies && { retry_in_ms: delayMs }),
      },
    );
  }

  const giveBack = (delivery: Delivery, delayMs: number): void => acknowledge(nats, delivery, nak(delayMs));

  /** First the copy in the DLQ, with payload and reason; only then the end, which removes it from a work queue. */
  async function reject(delivery: Delivery, reason: string, id: string | undefined, tell: Tell): Promise<void> {
    const about = { reason, ...(id !== undefined && { request_id: id }) };
    let why = 'no stream captures rejects';
    if (options.keepsRejects) {
      const { stream, consumer, payload } = delivery;
      try {
        await publish(nats, rejectedSubject(stream, consumer), payload, rejectHeaders(delivery, reason, new Date()));
        await confirm(nats, delivery, term(reason));
        tally.add('rejected');
        return tell('error', 'rejected', 'rejected: it is in the dead letters', about);
      } catch (error) {
        why = (error as Error).message;
      }
    }
    // Without a safe place its payload stays in the queue: it dies of its deliveries, which need not take long.
    const ends = timing.maxDeliver > 0 && !options.keepsRejects;
    const isFirst = delivery.delivery === 1 || !ends;
    if (isFirst) await failures.note(delivery, { kind: 'rejected', reason, id, at: new Date() });
    giveBack(delivery, ends ? 0 : retryDelayMs(timing, delivery.delivery));
    tally.add('failed');
    tell(isFirst ? 'error' : 'debug', 'rejected', `rejected, and left in the queue to die: ${why}`, about);
  }

  /** Takes nothing more, gives back what is not begun, and waits for what is. */
  async function stop(why: WorkerEnd, graceMs: number): Promise<void> {
    if (end !== undefined) return;
    end = why;
    clearInterval(idle);
    options.signal.removeEventListener('abort', onAbort);
    for (const delivery of waiting.splice(0)) {
      leases.release(delivery);
      tally.add('returned');
      giveBack(delivery, 0);
    }
    const late = setTimeout(() => {
      hurried = true;
      void runner.stop();
    }, graceMs);
    await puller.stop();
    while (active > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(late);
    await runner.stop();
    leases.stop();
    finish(why);
  }

  const onAbort = () => void stop('signal', options.graceMs);
  options.signal.addEventListener('abort', onAbort);
  const idle = setInterval(() => {
    const still = active + waiting.length === 0 && performance.now() - lastWork >= (options.idleExitMs ?? Infinity);
    if (still) void stop('idle', options.graceMs);
  }, 50);
  if (options.signal.aborted) onAbort();
  else puller.pull();
  return { inHand: () => active + waiting.length, ended };
}
