import type { SeqSet } from '../dlq/seq-set.ts';
import type { Entry } from '../model/entry.ts';
import type { Seen } from '../model/message.ts';
import { makeMove, recordsSeen } from './copy.ts';
import type { QueueJob } from './job.ts';
import { Once, readTwins, skippedAgain } from './once.ts';
import type { CheckedQueue } from './preflight.ts';
import type { Move } from './protocol.ts';
import { allowsTtl } from './queue-facts.ts';
import { whySkipped } from './select.ts';

/** Whether several consumers may be given the same message. */
export const isOfSeveral = ({ info }: Pick<CheckedQueue, 'info'>): boolean => info.config.retention !== 'workqueue';

const placeOf = ({ stream, seq }: Seen): string => `${stream} ${seq}`;

/** Makes moves of entries, and tells why the others stay. */
export class Chooser {
  readonly #job: QueueJob;
  readonly #facts: CheckedQueue;
  readonly #once: Once;
  /** Entries of originals that go with another entry: what is left of them, to go once the copy is in. */
  readonly #again: { readonly seq: number; readonly records: readonly Seen[] }[] = [];
  /** The records that go with what an entry carries. */
  #twins: (entry: Entry) => readonly Seen[] = () => [];

  constructor(job: QueueJob, facts: CheckedQueue) {
    this.#job = job;
    this.#facts = facts;
    this.#once = new Once(() => isOfSeveral(facts));
  }

  /** Reads what goes with others. @throws OpsError CONN_*, DENIED_SUBJECT */
  async open(): Promise<void> {
    const { nats, ref, now } = this.#job;
    if (isOfSeveral(this.#facts)) this.#twins = await readTwins(nats, ref, this.#facts, now);
  }

  /** The records of what went with those that moved. */
  leftOf(moved: SeqSet): Seen[] {
    return this.#again.flatMap(({ seq, records }) => (moved.has(seq) ? records : []));
  }

  /** The move of an entry; `undefined` for one that stays, which is told. */
  async moveOf(entry: Entry): Promise<Move | undefined> {
    const { tally, wishes, isDoubtful, isJudged } = this.#job;
    const { created, lastSeq } = this.#facts;
    const skipped = whySkipped(entry, {
      maxReplays: wishes.maxReplays,
      lastSeq,
      filter: this.#job.filter,
      ...(isDoubtful && { isDoubtful }),
      ...(isJudged && { isJudged: (one) => isJudged(one, created) }),
    });
    if (skipped) {
      // What is in the journal was counted when the run began with it.
      if (skipped.why !== 'new' && skipped.why !== 'journalled') tally.skip(skipped);
      return undefined;
    }
    if (this.#once.isAgain(entry)) {
      const { original } = entry.inner;
      if (original) this.#again.push({ seq: original.seq, records: recordsSeen(entry, this.#facts) });
      tally.skip(skippedAgain(entry));
      return undefined;
    }
    const edited = wishes.edit ? await wishes.edit(entry) : undefined;
    if (wishes.edit && edited === undefined) return undefined;
    if (edited === null) {
      const isModule = wishes.transform !== undefined;
      const text = isModule ? 'the transform skips it' : 'left as it is in the editor';
      tally.skip({ entry, why: isModule ? 'transform' : 'unedited', text });
      return undefined;
    }
    this.#job.onTaken?.(entry);
    const options = {
      allowTtl: allowsTtl(this.#job.target ?? this.#facts.info),
      to: wishes.to,
      edited,
    };
    const move = makeMove(entry, this.#facts, options);
    const own = new Set(move.records.map(placeOf));
    return { ...move, records: [...move.records, ...this.#twins(entry).filter((one) => !own.has(placeOf(one)))] };
  }
}
