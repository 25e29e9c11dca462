import { countJournalled } from '../dlq/journalled.ts';
import type { SeenQueue } from '../dlq/standing.ts';
import type { OpsError } from '../errors/ops-error.ts';
import { RESPONSES_BUCKET } from '../facts/names.ts';
import { takenSubjects } from '../facts/subjects.ts';
import type { Io } from '../model/io.ts';
import { answerOf, orElse, orThrow } from '../nats/answer.ts';
import { bucketNames } from '../nats/buckets.ts';
import type { Nats } from '../nats/connect.ts';
import { none, requireName, several, theOnly } from './choose.ts';
import { findQueues, type LocateOptions, lookAtQueues, noSuchQueue } from './queues.ts';

/** What the user named; the rest is found. */
export interface Named extends LocateOptions {
  readonly consumer?: string;
  readonly bucket?: string;
}

const once = <R>(read: () => Promise<R>): (() => Promise<R>) => {
  let result: Promise<R> | undefined;
  return () => (result ??= read());
};

/**
 * The queues, consumers and buckets that a command means, by one rule for all commands. Each is looked up once, when it
 * is needed first. All throw OpsError NOT_FOUND, CONN_*, DENIED_SUBJECT; and USAGE, which lists them, where one is
 * wanted, there are several, and none was named.
 */
export class Places {
  readonly nats: Nats;
  readonly #named: Named;

  constructor(nats: Nats, named: Named) {
    this.nats = nats;
    this.#named = named;
  }

  /** The spec's queues, as far as they are meant. */
  get #spoken() {
    const { queues, spec } = this.#named;
    return Object.entries(spec?.queues ?? {}).filter(([name]) => !queues?.length || queues.includes(name));
  }

  /** The queues that may be meant, by their streams alone; empty where there is none. */
  readonly found = once(() => findQueues(this.nats, this.#named));

  /** The same with their consumers. */
  readonly queues = once(async () => lookAtQueues(await this.found()));

  /**
   * The same, at least one that is there. Of a queue that is nowhere, not even in a DLQ or a journal, nobody can say that
   * nothing of it waits or is dead: its spec was not applied, or to another server or account. Some of several are told.
   */
  async someQueues(tell: Io['tell']): Promise<readonly SeenQueue[]> {
    const { nats } = this;
    const refs = await this.queues();
    if (refs.length === 0) throw none(nats, 'queue');
    const bare = refs.filter(({ isGone, dlqs }) => isGone && dlqs.length === 0);
    if (bare.length === 0) return refs;
    const journalled = await countJournalled(nats);
    const nowhere = bare.flatMap(({ queue }) => (journalled?.has(queue) ? [] : [queue]));
    const names = refs.flatMap(({ queue }) => (nowhere.includes(queue) ? [] : [queue]));
    const missing = nowhere.find((queue) => names.length === 0 || this.#named.queues?.includes(queue));
    if (missing !== undefined) throw noSuchQueue(nats, missing, names);
    if (nowhere.length > 0) {
      const text = `not on ${nats.target.url}, account ${nats.target.account}: ${nowhere.join(', ')}; nothing is known of what waits or died there`;
      tell({ type: 'warning', text });
    }
    return refs;
  }

  /** The same, and why there are none: a client may be allowed no more than to publish and to read responses. */
  async visible(): Promise<{ readonly refs: readonly SeenQueue[]; readonly denied?: OpsError }> {
    const answer = await answerOf(this.queues());
    return answer.is === 'denied' ? { refs: [], denied: answer.error } : { refs: await orThrow(answer) };
  }

  /** The queue that was named, else the only one. */
  async queue(): Promise<SeenQueue> {
    const refs = await this.queues();
    const names = refs.map(({ queue }) => queue);
    const name = theOnly(this.nats, 'queue', names);
    return refs[names.indexOf(name)]!;
  }

  /** Those of its consumers that a worker can be bound to. */
  async workers(): Promise<readonly string[]> {
    const { consumers, seen } = await this.queue();
    const foreign = seen?.standing.copies.map(({ name }) => name) ?? [];
    return consumers.filter((name) => !foreign.includes(name));
  }

  /** Its consumer that was named, else the only one: of the spec, else of its workers. */
  async consumer(): Promise<string> {
    const { consumer, spec } = this.#named;
    if (consumer !== undefined) return requireName('consumer', consumer);
    const { queue } = await this.queue();
    const spoken = Object.keys(spec?.queues[queue]?.consumers ?? {});
    return theOnly(this.nats, 'consumer', spoken.length > 0 ? spoken : await this.workers(), queue);
  }

  /**
   * Where responses of these queues may be: the bucket that was named, else those of the spec or of what was last
   * applied, else the one that is called as in the original system, else the only one. Empty where none is known.
   */
  readonly buckets = once(async (): Promise<readonly string[]> => {
    const { bucket, spec } = this.#named;
    if (bucket !== undefined) return [requireName('bucket', bucket)];
    const said = spec
      ? this.#spoken.map(([, { responses }]) => responses?.bucket)
      : (await orElse(answerOf(this.found()), { denied: [] })).map(({ responses }) => responses);
    const known = [...new Set(said)].filter((name) => name !== undefined);
    if (known.length > 0) return known;
    const all = await orElse(this.#listed(), { denied: [] });
    if (all.includes(RESPONSES_BUCKET)) return [RESPONSES_BUCKET];
    if (all.length > 1) throw several(this.nats, 'bucket', all);
    return all;
  });

  readonly #listed = once(() => bucketNames(this.nats));

  /** The only one of them. */
  async bucket(): Promise<string> {
    const names = await this.buckets();
    // Whoever may not look is told that.
    if (names.length === 0) await orThrow(this.#listed());
    return theOnly(this.nats, 'bucket', names);
  }

  /** The subjects that each queue takes: as the spec has it, which needs no look, else as the server does. */
  async takes(): Promise<readonly { readonly queue: string; readonly subjects: readonly string[] }[]> {
    const spoken = this.#spoken;
    if (spoken.length > 0)
      return spoken.map(([queue, { config }]) => ({ queue, subjects: takenSubjects(queue, config) }));
    return (await this.found()).map(({ queue, subjects = [] }) => ({ queue, subjects }));
  }
}
