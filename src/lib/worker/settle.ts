import type { OpsError } from '../errors/ops-error.ts';
import { rejectedSubject } from '../facts/names.ts';
import type { WorkerCounts, WorkerEvent } from '../model/worker.ts';
import type { Nats } from '../nats/connect.ts';
import { ACK, acknowledge, confirm, type Delivery, nak, term } from '../nats/consume.ts';
import { publish } from '../nats/message-writes.ts';
import { type After, afterFailure, afterReject, type Failed, needsConfirming, type Told } from './after.ts';
import type { Failures } from './failures.ts';
import { type Job, type Outcome, type Runner, readJob } from './job.ts';
import { rejectHeaders } from './reject.ts';
import { BucketGone, type Responses } from './store.ts';
import type { Tally } from './tally.ts';
import { retryDelayMs, type Timing } from './timing.ts';

/** What it takes to answer a request. */
export interface Desk {
  readonly nats: Nats;
  readonly timing: Timing;
  readonly runner: Runner;
  readonly responses: Responses;
  readonly failures: Failures;
  readonly tally: Tally;
  /** Whether a stream captures rejects. Without one they are left to die, payload and all in the queue. */
  readonly keepsRejects: boolean;
  readonly log: (event: WorkerEvent) => void;
  /** What makes all further work impossible. */
  readonly onFatal: (error: OpsError) => void;
}

/** A delivery on the desk, and since when. */
interface Case {
  readonly desk: Desk;
  readonly delivery: Delivery;
  readonly started: number;
}

function tell({ desk, delivery: { seq, subject, delivery }, started }: Case, told: Told): void {
  const { level, event, message, ...extra } = told;
  const ms = Math.round((performance.now() - started) * 10) / 10;
  desk.log({ level, event, message, seq, subject, delivery, ms, ...extra });
}

/** Gives a delivery back: it comes again after so long. */
export const giveBack = (nats: Nats, delivery: Delivery, delayMs: number): void =>
  acknowledge(nats, delivery, nak(delayMs));

/**
 * Works on a delivery. Whatever becomes of it: it is answered, given back, rejected, or left to its lease. `onWorked` hears
 * that the runner is done with it, and the rest is up to the server. Never rejects.
 */
export async function settle(desk: Desk, delivery: Delivery, onWorked: () => void): Promise<void> {
  const one: Case = { desk, delivery, started: performance.now() };
  let id: string | undefined;
  try {
    const job = readJob(delivery, desk.timing.maxDeliver);
    if ('reject' in job) return await reject(one, job.reject, undefined);
    id = job.id;
    if (delivery.delivery > 1 && (await desk.responses.isAnswered(id, delivery.publishedUs))) {
      return await passAnswered(one, id);
    }
    const outcome = await desk.runner.run(job);
    onWorked();
    await conclude(one, job, outcome);
  } catch (error) {
    if (error instanceof BucketGone) {
      // First nothing more is asked for: what is given back would come to us at once.
      desk.onFatal(error);
      return returned(one, id);
    }
    // Nothing is known of the delivery any more: what it needs is another one.
    const about = { reason: (error as Error).message, request_id: id };
    desk.tally.add('failed');
    tell(one, { level: 'error', event: 'failed', message: 'the work on a request broke off', ...about });
    giveBack(desk.nats, delivery, retryDelayMs(desk.timing, delivery.delivery));
  }
}

async function conclude(one: Case, { id }: Job, outcome: Outcome): Promise<void> {
  switch (outcome.type) {
    case 'answer':
      return store(one, id, outcome.value);
    case 'reject':
      return reject(one, outcome.reason, id);
    case 'retry':
      return fail(one, 'retried', { kind: 'retry', reason: outcome.reason, id, delayMs: outcome.delayMs });
    case 'failure':
      return fail(one, 'failed', { kind: 'failed', reason: outcome.reason, id });
    case 'stopped':
      return returned(one, id);
  }
}

function returned(one: Case, id: string | undefined): void {
  const { desk, delivery } = one;
  desk.tally.add('returned');
  desk.tally.add('cut_short');
  giveBack(desk.nats, delivery, 0);
  tell(one, { level: 'info', event: 'returned', message: 'given back unhandled', request_id: id });
}

/** The ack follows the response: who is killed between the two finds the request answered when it comes again. */
async function store(one: Case, id: string, value: Uint8Array | string): Promise<void> {
  const { desk, delivery } = one;
  const stored = await desk.responses.put(id, value, delivery.publishedUs);
  switch (stored.type) {
    case 'stored':
      desk.tally.add('answered');
      await ack(one);
      return tell(one, { level: 'debug', event: 'answered', message: 'answered', request_id: id });
    case 'already':
      return passAnswered(one, id);
    case 'impossible':
      return reject(one, stored.reason, id);
    case 'unstored':
      return fail(one, 'unstored', { kind: 'unstored', reason: stored.reason, id });
  }
}

async function ack({ desk: { nats, timing, failures }, delivery }: Case): Promise<void> {
  if (!needsConfirming(timing, delivery.delivery)) return acknowledge(nats, delivery, ACK);
  await confirm(nats, delivery, ACK);
  if (delivery.delivery > 1) await failures.forget(delivery);
}

async function passAnswered(one: Case, id: string): Promise<void> {
  one.desk.tally.add('already_answered');
  await ack(one);
  const message = 'answered before: acked, not done again';
  tell(one, { level: 'info', event: 'already_answered', message, request_id: id });
}

function fail(one: Case, counter: keyof WorkerCounts, failed: Failed): Promise<void> {
  const { desk, delivery } = one;
  desk.tally.add(counter);
  return putOff(one, afterFailure(desk.timing, delivery.delivery, failed));
}

/** First the reason, then the end of this delivery: who hears of the next one finds why. */
async function putOff(one: Case, { delayMs, note, told }: After): Promise<void> {
  const { desk, delivery } = one;
  if (note) await desk.failures.note(delivery, { ...note, at: new Date() });
  giveBack(desk.nats, delivery, delayMs);
  tell(one, told);
}

/** First the copy in the DLQ, with payload and reason; only then the end, which removes it from a work queue. */
async function reject(one: Case, reason: string, id: string | undefined): Promise<void> {
  const { desk, delivery } = one;
  const { nats, tally, timing, keepsRejects } = desk;
  let why = 'no stream captures rejects';
  if (keepsRejects) {
    const { stream, consumer, payload } = delivery;
    try {
      await publish(nats, rejectedSubject(stream, consumer), payload, rejectHeaders(delivery, reason, new Date()));
      await confirm(nats, delivery, term(reason));
      tally.add('rejected');
      const about = { reason, request_id: id };
      return tell(one, { level: 'error', event: 'rejected', message: 'rejected: it is in the dead letters', ...about });
    } catch (error) {
      why = (error as Error).message;
    }
  }
  tally.add('failed');
  await putOff(one, afterReject(timing, delivery.delivery, { reason, id, why, keepsRejects }));
}
