// What people and their tools do, one step each.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Msg } from '@nats-io/transport-node';
import fc from 'fast-check';
import { jsonOf } from './laws.ts';
import { quote, Refused } from './person.ts';
import { lookAtBoth, type Play } from './play.ts';
import { answeredIn, requestIdOf, takesOf } from './truth.ts';
import { ACK_WAIT_MS, addConsumer, consumerConfig, type Queue, type Worker, type World } from './world.ts';

export interface Model {
  readonly world: World;
  readonly version: string;
  readonly plant: string | undefined;
}

/** A step: what it does, with numbers that choose among what there is then. */
type Act = (play: Play, pick: readonly number[]) => Promise<void>;

/** A world on one server, and where it has two, on the other. */
export type Plays = readonly [Play] | readonly [Play, Play];

class Step implements fc.AsyncCommand<Model, Plays> {
  readonly #row: Row;
  readonly #pick: readonly number[];
  readonly #isJudged: boolean;

  constructor(row: Row, pick: readonly number[], isJudged: boolean) {
    this.#row = row;
    this.#pick = pick;
    this.#isJudged = isJudged;
  }

  check(model: Readonly<Model>): boolean {
    const [, , , isPossible] = this.#row;
    return isPossible?.(model) ?? true;
  }

  async run({ plant }: Model, [first, twin]: Plays): Promise<void> {
    const [, name, act] = this.#row;
    const play = twin && this.#pick[4]! % 3 === 0 ? twin : first;
    const typed = play.person.lines.length;
    play.steps += 1;
    try {
      await act(play, this.#pick);
    } catch (error) {
      // What the server refuses to a person is no fault of ours.
      if (!(error instanceof Refused)) throw error;
      await play.excuse(error.message);
    }
    if (!this.#isJudged) return;
    await play.look(this.#pick[0]!);
    if (twin) await lookAtBoth(first, twin);
    if (play.person.lines.length > typed) play.see(`step: ${name}`);
    if (plant !== undefined && play.seen.has(plant)) play.break('planted', plant);
  }

  toString(): string {
    const [, name] = this.#row;
    return `${name}(${this.#pick.join(', ')})`;
  }
}

const of = <T>(all: readonly T[], pick: number): T | undefined => all[pick % all.length];

/** A consumer that can be pulled from, now. */
function workerOf(play: Play, queue: Queue, pick: number): Worker | undefined {
  const live = play.truth.get(queue.name)?.consumers.map(({ name }) => name) ?? [];
  return of(
    queue.workers.filter(({ name, push }) => !push && live.includes(name)),
    pick,
  );
}

// What people do with the nats CLI.

const payloadOf = (token: string, kind: number): string => {
  switch (kind % 8) {
    case 5:
      return `plain text ${token}`;
    case 6:
      // An integer that JSON's usual reader would round.
      return `{"id": 90071992547409${93 + (kind % 7)}, "word": "${token}"}`;
    case 7:
      return `{"id": "${token}", "text": "\\u001b[2J\u0007"}`;
    default:
      return `{"id":"${token}"}`;
  }
};

const publish: Act = async (play, [, which, on, count, kind]) => {
  const queue = play.queue(which!);
  for (let left = (count! % 4) + 1; left > 0; left--) {
    const token = play.token();
    const subject = of(queue.subjects, on! + left)!;
    const head: Record<string, string> = kind! % 3 === 0 ? { 'Nats-Msg-Id': token } : {};
    if (await play.person.publish(subject, payloadOf(token, kind! + left), head)) play.accept(token, queue.name);
  }
  await play.excuse('dropped by a limit of the stream');
};

interface Taken {
  readonly queue: Queue;
  readonly worker: Worker;
  readonly messages: readonly Msg[];
}

const take = async (play: Play, which: number, who: number, count: number): Promise<Taken | undefined> => {
  // Mostly where something waits.
  const waiting = play.queues.flatMap((queue) => {
    const consumers = play.truth.get(queue.name)?.consumers ?? [];
    const isWaiting = ({ name, push }: Worker) =>
      !push && consumers.some((one) => one.name === name && one.pending > 0);
    return queue.workers.filter(isWaiting).map((worker) => ({ queue, worker }));
  });
  const any = play.queue(which);
  const { queue, worker } = of(waiting, which + who) ?? { queue: any, worker: workerOf(play, any, who) };
  if (!worker) return undefined;
  const messages = await play.person.pull(queue.name, worker.name, (count % 4) + 1, 200);
  play.given(worker.name, queue, messages);
  return { queue, worker, messages };
};

const next = (queue: Queue, worker: Worker, count: number, how: string): string =>
  `nats consumer next ${queue.name} ${worker.name} --count ${count} ${how}`;

/** What was done with what was taken, as it is typed; nothing where nothing came. */
const noteNext = (play: Play, { queue, worker, messages }: Taken, how: string): void => {
  if (messages.length > 0) play.person.note(next(queue, worker, messages.length, how));
};

const die: Act = async (play, [, which, who, count]) => {
  const taken = await take(play, which!, who!, count!);
  if (!taken) return;
  const { queue, worker, messages } = taken;
  const rounds = worker.maxDeliver;
  for (let round = 1; round < rounds; round++) {
    await sleep(ACK_WAIT_MS + 50);
    play.given(worker.name, queue, await play.person.pull(queue.name, worker.name, messages.length, 200));
  }
  await sleep(ACK_WAIT_MS + 50);
  const typed = next(queue, worker, messages.length, '--no-ack');
  if (messages.length > 0) play.person.note(`${Array(rounds).fill(typed).join('; sleep 0.3; ')}; sleep 0.3`);
  if (rounds > 1 && count! % 2 === 0) {
    // Death is lazy: it comes with a pull.
    await play.person.pull(queue.name, worker.name, 1, 50);
    play.person.note(`${next(queue, worker, 1, '--no-ack --timeout 50ms')}; sleep 0.3`);
    await sleep(ACK_WAIT_MS + 50);
  }
  await play.excuse('dropped while it was worked on');
};

const work: Act = async (play, [, which, who, count, answers]) => {
  const asked = performance.now();
  const taken = await take(play, which!, who!, count!);
  if (!taken) return;
  const { queue, worker, messages } = taken;
  for (const { data, headers } of answers! % 2 ? messages : []) {
    const head = headers?.get('Nats-Msg-Id') ? `Nats-Msg-Id: ${headers.get('Nats-Msg-Id')}` : '';
    const id = requestIdOf({ payload: Buffer.from(data).toString('latin1'), headers: head });
    if (id !== undefined) await play.person.put(queue.bucket, id, '{}');
  }
  await play.person.settle(messages, '+ACK');
  noteNext(play, taken, '--ack');
  play.acked(worker.name, queue, messages, performance.now() - asked < ACK_WAIT_MS);
  await play.excuse('acked');
};

const giveBack: Act = async (play, [, which, who, count]) => {
  const taken = await take(play, which!, who!, count!);
  if (!taken) return;
  await play.person.settle(taken.messages, '-NAK');
  noteNext(play, taken, '--nak');
  await play.excuse('given back');
};

const terminate: Act = async (play, [, which, who, count, why]) => {
  const taken = await take(play, which!, who!, count!);
  if (!taken) return;
  const word = why! % 2 ? '+TERM' : '+TERM it is \u001b[31mpoison';
  await play.person.settle(taken.messages, word);
  if (why! % 2) noteNext(play, taken, '--term');
  else if (taken.messages.length > 0)
    // The nats CLI gives no reason.
    play.person.note(`settle ${taken.queue.name} ${taken.worker.name} ${taken.messages.length} ${quote(word)}`);
  await play.excuse('terminated');
};

/** Rejects as a worker of ours does: the payload into the DLQ, then the message out of the queue. */
const reject: Act = async (play, [, which, who, count]) => {
  const taken = await take(play, which!, who!, count!);
  if (!taken) return;
  const { queue, worker, messages } = taken;
  for (const message of messages) {
    const tokens = message.reply!.split('.');
    // $JS.ACK.[domain.account.]stream.consumer.deliveries.sequence...
    const [deliveries, seq] = tokens.slice(tokens.length > 9 ? 6 : 4);
    await play.person.publish(`osapi-ops.rejected.${queue.name}.${worker.name}`, message.data, {
      'Osapi-Reject-Reason': 'no worker can answer it',
      'Osapi-Reject-Stream': queue.name,
      'Osapi-Reject-Consumer': worker.name,
      'Osapi-Reject-Seq': seq!,
      'Osapi-Reject-Subject': message.subject,
      'Osapi-Reject-Time': new Date().toISOString(),
      'Osapi-Reject-Deliveries': deliveries!,
      ...(message.headers?.get('Nats-Msg-Id') && {
        'Osapi-Reject-Kept-Nats-Msg-Id': message.headers.get('Nats-Msg-Id'),
      }),
    });
  }
  await play.person.settle(messages, '+TERM rejected');
  if (messages.length > 0) play.person.note(`settle ${queue.name} ${worker.name} ${messages.length} '+TERM rejected'`);
  await play.excuse('rejected');
};

const answer: Act = async (play, [, which, one, how]) => {
  const queue = play.queue(which!);
  const stored = of(play.truth.get(queue.name)?.messages ?? [], one!);
  const id = stored && requestIdOf(stored);
  if (id === undefined) return;
  if (how! % 4 === 0) {
    await play.person.publish(`$KV.${queue.bucket}.${id}`, '', { 'KV-Operation': 'DEL' });
  } else await play.person.put(queue.bucket, id, '{"answer":1}');
  await play.excuse('answered');
};

/** An ack that comes when all is over: of a dead message, it takes it out of a work queue. */
const ackLate: Act = async (play, [, which, who, one]) => {
  const queue = play.queue(which!);
  const worker = workerOf(play, queue, who!);
  const stream = play.truth.get(queue.name);
  const raw = stream?.consumers.find(({ name }) => name === worker?.name);
  const dead = stream?.messages.filter(({ seq, subject }) => raw && seq <= raw.delivered && takesOf(raw, subject));
  const stored = of(dead ?? [], one!);
  if (!worker || !stored) return;
  await play.person.publish(
    `$JS.ACK.${queue.name}.${worker.name}.1.${stored.seq}.1.${Date.parse(stored.time)}000000.0`,
    '',
  );
  await play.excuse('acked late');
};

const removeOne: Act = async (play, [, which, one]) => {
  const queue = play.queue(which!);
  const names = [queue.name, ...queue.dlqs];
  const name = of(names, one!)!;
  const stored = of(play.truth.get(name)?.messages ?? [], one!);
  if (!stored) return;
  await play.person.api(`STREAM.MSG.DELETE.${name}`, { seq: stored.seq });
  await play.excuse('deleted');
};

const purgeStream: Act = async (play, [, which, what]) => {
  const queue = play.queue(which!);
  const names = [queue.name, ...queue.dlqs, `KV_${queue.bucket}`].filter((name) => play.truth.has(name));
  const name = of(names, what!);
  if (name === undefined) return;
  await play.person.api(`STREAM.PURGE.${name}`, what! % 2 && name === queue.name ? { filter: queue.subjects[0] } : {});
  await play.excuse('purged');
};

/** All that is stored there grows too old at once. */
const expire: Act = async (play, [, which, what]) => {
  const queue = play.queue(which!);
  const names = [queue.name, ...queue.dlqs, `KV_${queue.bucket}`].filter((name) => play.truth.has(name));
  const stream = play.truth.get(of(names, what!) ?? '');
  if (!stream || stream.messages.length === 0) return;
  const { name, config } = stream;
  await play.person.api(`STREAM.UPDATE.${name}`, { ...config, max_age: 100 * 1e6, duplicate_window: 100 * 1e6 });
  for (let tries = 0; tries < 50; tries++) {
    await sleep(100);
    if ((await play.read()).get(name)?.messages.length === 0) break;
  }
  play.person.note('sleep 2');
  await play.person.api(`STREAM.UPDATE.${name}`, config);
  await play.excuse('expired');
};

/** Another node leads the stream. */
const stepDown: Act = async (play, [, which]) => {
  const queue = play.queue(which!);
  if (!lives(play, queue)) return;
  await play.person.api(`STREAM.LEADER.STEPDOWN.${queue.name}`);
  await sleep(1000);
  play.person.note('sleep 1');
  await play.excuse('dropped with a leader');
};

/** The same name, a new incarnation: its sequences begin at 1 again. */
const remake: Act = async (play, [, which, what]) => {
  const queue = play.queue(which!);
  const name = of([queue.name, ...queue.dlqs], what!)!;
  const stream = play.truth.get(name);
  if (!stream) return;
  await play.person.api(`STREAM.DELETE.${name}`);
  await play.person.api(`STREAM.CREATE.${name}`, stream.config);
  for (const one of name === queue.name ? queue.workers : []) await addConsumer(play.person, name, one);
  for (const one of play.known.values()) if (name === queue.name && one.queue === name) one.acked.clear();
  await play.excuse('deleted with its stream');
};

const remakeConsumer: Act = async (play, [, which, who]) => {
  const queue = play.queue(which!);
  const worker = workerOf(play, queue, who!);
  if (!worker) return;
  await play.person.api(`CONSUMER.DELETE.${queue.name}.${worker.name}`);
  await addConsumer(play.person, queue.name, worker);
  for (const one of play.known.values()) if (queue.retention !== 'workqueue') one.acked.delete(worker.name);
  await play.excuse('dropped with its consumer');
};

const raise: Act = async (play, [, which, who, by]) => {
  const queue = play.queue(which!);
  const worker = workerOf(play, queue, who!);
  if (!worker || queue.spec !== undefined) return;
  const config = { ...consumerConfig(worker), max_deliver: worker.maxDeliver + (by! % 2) };
  await play.person.api(`CONSUMER.CREATE.${queue.name}.${worker.name}`, {
    stream_name: queue.name,
    config,
    action: '',
  });
  await play.excuse('dropped with an update');
};

/** A message for later: the stream has it until its time comes, and then another of its words. */
const schedule: Act = async (play, [, which, on, when]) => {
  const queue = play.queue(which!);
  const token = play.token();
  const isSoon = when! % 2 === 0;
  const time = isSoon ? new Date(Date.now() + 1000).toISOString() : '2099-01-01T00:00:00Z';
  const head = {
    'Nats-Schedule': `@at ${time.replace(/\.\d+/, '')}`,
    'Nats-Schedule-Target': of(queue.subjects, on!)!,
  };
  const later = `${queue.name.toLowerCase()}.later`;
  if (!(await play.person.publish(later, payloadOf(token, 0), head))) return;
  play.accept(token, queue.name);
  const isWaiting = async () =>
    (await play.read()).get(queue.name)?.messages.some((one) => one.token === token && one.subject === later);
  for (let tries = 0; isSoon && tries < 40 && (await isWaiting()); tries++) await sleep(100);
  if (isSoon) play.person.note('sleep 3');
  await play.excuse('replaced by another for later');
};

const dropCopy: Act = async (play) => {
  if (!play.truth.has('COPY')) return;
  await play.person.api('STREAM.DELETE.COPY');
  await play.excuse('dropped with the copy');
};

const ODD_NUMBERS = ['0', '-1', '1e400', '9007199254740993', '18446744073709551615', '1.5', '"1"', 'null'];
/** What lies in a DLQ and is no dead letter of the server's. */
const forge: Act = async (play, [, which, kind, one, many]) => {
  const queue = play.queue(which!);
  if (queue.dlqs.length === 0) return;
  play.isForged = true;
  const seq = of(play.truth.get(queue.name)?.messages ?? [], one!)?.seq ?? 1;
  const advisory = (fields: object, number = `${seq}`) =>
    JSON.stringify({
      type: 'io.nats.jetstream.advisory.v1.max_deliver',
      id: 'forged',
      timestamp: new Date().toISOString(),
      stream: queue.name,
      consumer: 'a',
      ...fields,
      deliveries: 1,
      stream_seq: 0,
    }).replace('"stream_seq":0', `"stream_seq":${number}`);
  const deaths = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${queue.name}`;
  const head = (fields: Readonly<Record<string, string>>) => ({
    'Osapi-Reject-Stream': queue.name,
    'Osapi-Reject-Consumer': 'a',
    'Osapi-Reject-Seq': `${seq}`,
    'Osapi-Reject-Subject': queue.subjects[0]!,
    'Osapi-Reject-Time': '2026-01-01T00:00:00Z',
    ...fields,
  });
  const rejects = `osapi-ops.rejected.${queue.name}.a`;
  const stored = of(play.truth.get(queue.name)?.messages ?? [], one!);
  /** As two services copy what they gave up, neither with its sequence. */
  const copyTwice = async () => {
    if (!stored) return;
    const id = /^Nats-Msg-Id: ?(.*?)\s*$/im.exec(stored.headers)?.[1];
    const copies: Readonly<Record<string, string>>[] = [
      {
        'x-original-stream': queue.name,
        'x-original-subject': stored.subject,
        'x-failed-at': new Date().toISOString(),
        ...(id !== undefined && { 'Nats-Msg-Id': id }),
      },
      {
        'X-DLQ-Original-Stream': queue.name,
        'X-DLQ-Original-Subject': stored.subject,
        'X-DLQ-Failure-Reason': 'MaxDeliveriesExceeded',
        ...(id !== undefined && { 'X-DLQ-Nats-Msg-Id': id }),
      },
    ];
    for (const copy of copies)
      if ((await play.person.publish(rejects, Buffer.from(stored.payload, 'latin1'), copy)) && stored.token)
        play.accept(stored.token, queue.name);
  };
  const acts = [
    copyTwice,
    () => play.person.publish('foreign', 'hello'),
    () => play.person.publish(`${deaths}.a`, '\u001b[2J not JSON'),
    () => play.person.publish(`${deaths}.a`, advisory({})),
    () => play.person.publish(`${deaths}.a`, advisory({}, of(ODD_NUMBERS, many!))),
    () => play.person.publish(`${deaths}.b`, advisory({ consumer: 'b\u001b[31m' })),
    () => play.person.publish(`${deaths}.a`, advisory({ timestamp: '9999-12-31T23:59:59Z' }, '4000000')),
    () => play.person.publish(rejects, '{"id":"forged"}', head({ 'Osapi-Reject-Seq': '77' })),
    () => play.person.publish(rejects, '{"id":"forged"}', head({ 'Osapi-Reject-Subject': '$JS.API.STREAM.DELETE.Q' })),
    () =>
      play.person.publish(
        rejects,
        '{"id":"forged"}',
        head({ 'Osapi-Reject-Seq': '\u0001', 'Osapi-Reject-Reason': 'a\u0007b' }),
      ),
    () => play.person.publish(rejects, Buffer.alloc(1024 * 1024 - 600, 'x'), head({ 'Osapi-Reject-Seq': '78' })),
    () =>
      play.person.publish(rejects, '{"id":"other"}', {
        'X-DLQ-Original-Stream': queue.name,
        'X-DLQ-Original-Subject': queue.subjects[0]!,
        'X-DLQ-Original-Seq': `${80 + (many! % 3)}`,
        'X-DLQ-Consumer': 'a',
        'X-DLQ-Failure-Timestamp': '2026-01-01T00:00:00Z',
      }),
  ];
  await of(acts, kind!)!();
  await play.excuse('dropped by a forged record');
};

// What people do with osapi-ops.

/** Filters, of which most take all. */
function filters(play: Play, queue: Queue, pick: number): string[] {
  const subject = queue.subjects[0]!;
  const all: string[][] = [
    [],
    [],
    [],
    ['--subject', subject],
    ['--limit', '1'],
    ['--reason', 'max_deliveries'],
    ['--since', '1h'],
    ['--match', '"id"'],
    ['--consumer', 'a'],
    ['--state', 'replayable'],
    ['--older-than', '1d'],
  ];
  return [...(play.queues.length > 1 || pick % 2 ? ['--queue', queue.name] : []), ...of(all, pick)!];
}

/** A queue for a step of the DLQ: mostly one that has dead letters. */
function queueOf(play: Play, pick: number): Queue {
  const some = play.queues.filter(({ dlqs }) => dlqs.some((dlq) => play.truth.get(dlq)?.messages.length));
  return of(some, pick) ?? play.queue(pick);
}

const lives = (play: Play, queue: Queue): boolean => play.truth.has(queue.name);

const replay: Act = async (play, [, which, filter, how, after]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  const args = ['dlq', 'replay', '--json', ...filters(play, queue, filter!)];
  if (how! % 5 === 0) args.push('--max-in-flight', '1');
  if (how! % 7 === 0) args.push('--max-replays', '9');
  await runReplay(play, queue, args, how! % 3 === 0 ? (after! % 12) + 3 : undefined);
};

/** Ends it where `killAfter` says, unless it was done before. */
async function runReplay(play: Play, queue: Queue, args: readonly string[], killAfter?: number): Promise<void> {
  const before = play.truth;
  const said = await play.person.ops(args, killAfter);
  if (said.signal === 'SIGKILL') {
    play.see('replays killed');
    play.isHalfWay = true;
    await unlock(play);
  } else {
    play.judge(said, 'dlq replay', [0, 1]);
    if (((jsonOf(said) ?? {}) as { replayed?: number }).replayed) play.see('replays of something');
    // What was half-way is whole again once a run over everything ended.
    const isAll = args.slice(2).every((word) => ['--json', '--queue', queue.name].includes(word));
    if (said.code === 0 && isAll) play.isHalfWay = play.isHalfWay && play.queues.length > 1;
  }
  await play.account(said);
  await play.refuseAnswered(said, before, answeredIn(before, queue.bucket));
}

/** The lock of who was killed would be let go by itself, some seconds later; what was on its way is there when nothing moves. */
async function unlock(play: Play): Promise<void> {
  await play.quiet();
  await play.person.api('STREAM.PURGE.KV_osapi_ops', { filter: '$KV.osapi_ops.lock.>' });
}

/** Publishes until the queue is full, where it can be: there a replay takes the way by the journal, and is cut on it. */
const cut: Act = async (play, [, which, , how, after]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  const { config } = play.truth.get(queue.name)! as { config: { max_msgs?: number; discard?: string } };
  for (let left = config.discard === 'new' ? (config.max_msgs ?? 0) : 0; left > 0; left--) {
    const token = play.token();
    if (!(await play.person.publish(of(queue.subjects, left)!, payloadOf(token, 0)))) break;
    play.accept(token, queue.name);
  }
  await play.excuse('dropped by a limit of the stream');
  const args = ['dlq', 'replay', '--json', '--queue', queue.name, '--max-in-flight', `${(how! % 2) * 7 + 1}`];
  await runReplay(play, queue, args, (after! % 9) + 3);
};

/** Dies again after each replay, until that is no use any more. */
const park: Act = async (play, [judged, which, who, count, how]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  for (let round = 0; round < 3; round++) {
    await runReplay(play, queue, ['dlq', 'replay', '--json', '--queue', queue.name]);
    await die(play, [judged!, play.queues.indexOf(queue), who!, count! | 3, how!]);
  }
};

const purge: Act = async (play, [, which, filter, how, after]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  const file = `purged-${play.steps}.ndjson`;
  const args = ['dlq', 'purge', '--yes', '--archive', file, '--json', ...filters(play, queue, filter!)];
  const said = await play.person.ops(args, how! % 4 === 0 ? (after! % 6) + 2 : undefined);
  const isKilled = said.signal === 'SIGKILL';
  if (isKilled) await unlock(play);
  else play.judge(said, 'dlq purge', [0, 1]);
  const archived = play.tokensIn(file);
  if (archived.size > 0) play.see(isKilled ? 'purges killed' : 'purges of something');
  await play.account(said, { may: (token) => archived.has(token) });
  if (isKilled) return;
  if (filter! % 2 && archived.size > 0) await bringBack(play, file, archived);
};

async function bringBack(play: Play, file: string, archived: ReadonlySet<string>): Promise<void> {
  const said = await play.person.ops(['dlq', 'import', file, '--json']);
  play.judge(said, 'dlq import', [0, 1]);
  await play.account(said, { may: (token) => archived.has(token) });
}

const archive: Act = async (play, [, which, filter]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  const file = `exported-${play.steps}.ndjson`;
  const said = await play.person.ops(['dlq', 'export', '--out', file, '--json', ...filters(play, queue, filter!)]);
  play.judge(said, 'dlq export', [0, ...play.codesOfNone(play.truth)]);
  await play.account(said);
};

const rebuild: Act = async (play, [, which]) => {
  const queue = queueOf(play, which!);
  if (!lives(play, queue)) return;
  const said = await play.person.ops(['dlq', 'rebuild', '--json', '--queue', queue.name]);
  play.judge(said, 'dlq rebuild', [0, 1]);
  await play.account(said);
  if (said.code !== 0) return;
  const again = await play.person.ops(['dlq', 'rebuild', '--json', '--queue', queue.name]);
  const { rebuilt } = (jsonOf(again) ?? {}) as { rebuilt?: number };
  if (rebuilt !== 0) play.break('again', `${again.line}: writes ${rebuilt} more: ${again.stdout} ${again.stderr}`);
};

const send: Act = async (play, [, which, id]) => {
  const queue = play.queue(which!);
  if (!lives(play, queue)) return;
  const token = id! % 3 === 0 ? (of([...play.known.keys()], id!) ?? play.token()) : play.token();
  const [, kind] = queue.subjects[0]!.split('.');
  const args = ['request', 'send', kind!, `{"id":"${token}"}`, '--queue', queue.name, '--id', token, '--json'];
  const said = await play.person.ops(args);
  play.judge(said, 'request send', [0, 1]);
  const before = play.placesOf(play.truth, token).length;
  play.truth = await play.read();
  if (play.placesOf(play.truth, token).length > before) play.accept(token, queue.name);
  await play.excuse('dropped by a limit of the stream');
};

const cancel: Act = async (play, [, which, one]) => {
  const queue = play.queue(which!);
  const stored = of(play.truth.get(queue.name)?.messages ?? [], one!);
  const id = stored && requestIdOf(stored);
  if (id === undefined) return;
  const said = await play.person.ops(['request', 'cancel', '--queue', queue.name, '--yes', '--json', '--', id]);
  play.judge(said, 'request cancel', [0, 1]);
  const { token } = stored!;
  await play.account(said, { may: (each) => each === token && said.code === 0 });
};

const workerRun: Act = async (play, [, which, who, count]) => {
  const queue = play.queue(which!);
  const worker = workerOf(play, queue, who!);
  if (!worker || !play.truth.has(`KV_${queue.bucket}`)) return;
  const args = ['worker', 'run', '--builtin', 'echo', '--queue', queue.name, '--consumer', worker.name];
  const said = await play.person.ops([
    ...args,
    ...(queue.spec === undefined ? ['--bucket', queue.bucket] : ['-f', queue.spec]),
    '--max',
    `${(count! % 3) + 1}`,
    '--idle-exit',
    '200ms',
    '--json',
  ]);
  play.judge(said, 'worker run', [0]);
  const answered = answeredIn(await play.read(), queue.bucket);
  const settled = (play.truth.get(queue.name)?.messages ?? []).filter((one) => answered.has(requestIdOf(one) ?? ''));
  const tokens = new Set(settled.map(({ token }) => token));
  await play.account(said, { may: (token) => tokens.has(token) || queue.retention !== 'workqueue' });
};

const pause: Act = async (play, [, which, how]) => {
  const queue = play.queue(which!);
  if (!lives(play, queue) || queue.workers.length === 0) return;
  const verb = how! % 2 ? 'pause' : 'resume';
  const said = await play.person.ops(['queue', verb, queue.name, '--json']);
  play.judge(said, `queue ${verb}`, [0, 1]);
  await play.account(said);
};

const apply: Act = async (play, [, which]) => {
  const { spec } = play.queue(which!);
  if (spec === undefined) return;
  const said = await play.person.ops(['apply', spec, '--json']);
  play.judge(said, 'apply', [0, 1]);
  await play.account(said);
  if (said.code !== 0) return;
  const again = await play.person.ops(['plan', spec, '--detailed-exitcode', '--json']);
  if (again.code !== 0) play.break('again', `${again.line}: ends with ${again.code} after apply: ${again.stdout}`);
};

const destroy: Act = async (play, [, which]) => {
  const queue = play.queue(which!);
  if (queue.spec === undefined) return;
  const said = await play.person.ops(['destroy', queue.spec, '--yes', '--json']);
  play.judge(said, 'destroy', [0]);
  for (const one of play.known.values()) if (one.queue === queue.name) one.acked.clear();
  await play.account(said, { may: (token) => play.known.get(token)!.queue === queue.name });
};

type Row = readonly [weight: number, name: string, act: Act, isPossible?: (model: Model) => boolean];
const ROWS: readonly Row[] = [
  [8, 'publish', publish],
  [9, 'die', die],
  [3, 'work', work],
  [1, 'giveBack', giveBack],
  [2, 'terminate', terminate],
  [2, 'reject', reject, ({ world }) => world.dlq === 'both' || world.dlq === 'all'],
  [3, 'answer', answer, ({ world }) => world.responses],
  [1, 'ackLate', ackLate],
  [1, 'removeOne', removeOne],
  [1, 'purgeStream', purgeStream],
  [1, 'expire', expire],
  [2, 'stepDown', stepDown, ({ world }) => world.replicas === 3],
  [1, 'remake', remake],
  [1, 'remakeConsumer', remakeConsumer],
  [1, 'raise', raise],
  [2, 'schedule', schedule, ({ world, version }) => world.schedules && !/^2\.1[01]\./.test(version)],
  [1, 'dropCopy', dropCopy, ({ world }) => world.copy !== 'none'],
  [2, 'forge', forge, ({ world }) => world.dlq !== 'none'],
  [7, 'replay', replay],
  [3, 'cut', cut],
  [1, 'park', park],
  [3, 'purge', purge],
  [1, 'archive', archive],
  [2, 'rebuild', rebuild],
  [2, 'send', send],
  [1, 'cancel', cancel],
  [2, 'workerRun', workerRun],
  [1, 'pause', pause, ({ version }) => !version.startsWith('2.10')],
  [1, 'apply', apply, ({ world }) => world.made === 'applied'],
  [1, 'destroy', destroy, ({ world }) => world.made === 'applied'],
];

/** Takes one step, by its name. */
export const doStep = (play: Play, name: string, pick: readonly number[]): Promise<void> =>
  ROWS.find(([, one]) => one === name)![2](play, pick);

/** What a step may have been, that a law was checked after. */
export const stepKinds = (version: string): readonly string[] =>
  ROWS.map(([, name]) => `step: ${name}`).filter(
    (kind) =>
      !(kind === 'step: pause' && version.startsWith('2.10')) &&
      !(kind === 'step: schedule' && /^2\.1[01]\./.test(version)),
  );

const picks = fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 });

const stepsOf = (rows: readonly Row[], maxCommands: number, isJudged: boolean) =>
  fc.commands(
    // A step that is to come more often stands here more often.
    rows.flatMap((row) => Array.from({ length: row[0] }, () => picks.map((pick) => new Step(row, pick, isJudged)))),
    { maxCommands, size: 'max' },
  );

const BEFORE = ['publish', 'die', 'work', 'terminate', 'reject', 'answer'];
/** What came before anybody looked: backlogs, and the dead of every reason. */
export const openings = (most: number) =>
  stepsOf(
    ROWS.filter(([, name]) => BEFORE.includes(name)),
    most,
    false,
  );
/** Sequences of steps. The library leaves out what was not done, and shortens what failed. */
export const sequences = (most: number) => stepsOf(ROWS, most, true);
