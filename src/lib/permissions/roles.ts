import {
  advisorySubject,
  bucketStream,
  bucketSubjects,
  LEDGER_BUCKET,
  movingName,
  movingSubject,
  rejectedSubject,
} from '../facts/names.ts';
import { takenSubjects } from '../facts/subjects.ts';
import type { Config } from '../model/json.ts';
import type { Permissions, RoleName } from '../model/permissions.ts';
import { MOVED_FROM, type Spec, type StreamSpec } from '../model/spec.ts';

/** Each run asks who it is, to say which account it is about to touch. Everybody may know that of himself. */
const WHO_AM_I = '$SYS.REQ.USER.INFO';

/** A stream of the system as permissions see it. */
interface Held {
  readonly name: string;
  readonly kind: 'queue' | 'dlq' | 'bucket' | 'other';
  readonly config: Config;
  readonly consumers: readonly string[];
}

const LEDGER = bucketStream(LEDGER_BUCKET);

function heldStreams(spec: Spec): Held[] {
  const of =
    (kind: Held['kind']) =>
    ([name, { config, consumers }]: [string, StreamSpec]): Held => ({
      name,
      kind,
      config,
      consumers: Object.keys(consumers),
    });
  const queues = Object.entries(spec.queues);
  const held: Held[] = [
    ...queues.map(of('queue')),
    ...queues.flatMap(([, { dlq }]): Held[] =>
      dlq ? [{ name: dlq.stream, kind: 'dlq', config: dlq.config, consumers: [] }] : [],
    ),
    ...queues.flatMap(([, { responses }]): Held[] =>
      responses
        ? [{ name: bucketStream(responses.bucket), kind: 'bucket', config: responses.config, consumers: [] }]
        : [],
    ),
    ...Object.entries(spec.streams).map(of('other')),
    ...Object.entries(spec.buckets).map(
      ([name, config]): Held => ({ name: bucketStream(name), kind: 'bucket', config, consumers: [] }),
    ),
  ];
  return [...new Map(held.map((one) => [one.name, one])).values()];
}

/** The subjects as the API's own, without its prefix. */
type Rule = (spec: Spec, streams: readonly Held[]) => { readonly api: string[]; readonly others: string[] };

/** By a direct get where the stream answers those, else through the leader. */
const readsOf = ({ name, kind, config }: Held): string[] => {
  if (kind === 'bucket') return [`DIRECT.GET.${name}.$KV.${name.slice('KV_'.length)}.>`];
  return config.allow_direct === false ? [`STREAM.MSG.GET.${name}`] : [`DIRECT.GET.${name}`];
};

const viewer: Rule = (_, streams) => ({
  api: [
    'INFO',
    // Who else holds a subject that the spec is to gain.
    'STREAM.NAMES',
    `STREAM.INFO.${LEDGER}`,
    `DIRECT.GET.${LEDGER}.$KV.${LEDGER_BUCKET}.>`,
    // Why workers failed is read in pages.
    `DIRECT.GET.${LEDGER}`,
    ...streams.map(({ name }) => `STREAM.INFO.${name}`),
    ...streams.flatMap(({ name, consumers }) => consumers.map((one) => `CONSUMER.INFO.${name}.${one}`)),
    ...streams
      .filter(({ kind }) => kind === 'queue')
      .flatMap(({ name }) => [`CONSUMER.NAMES.${name}`, `CONSUMER.LIST.${name}`]),
    ...streams.filter(({ kind }) => kind !== 'other').flatMap(readsOf),
  ],
  others: [],
});

const applier: Rule = (spec, streams) => {
  const base = viewer(spec, streams);
  return {
    api: [
      ...base.api,
      ...[...streams.map(({ name }) => name), LEDGER].flatMap((name) => [
        `STREAM.CREATE.${name}`,
        `STREAM.UPDATE.${name}`,
      ]),
      ...streams.flatMap(({ name, consumers }) =>
        consumers.flatMap((one) => [`CONSUMER.CREATE.${name}.${one}`, `CONSUMER.CREATE.${name}.${one}.>`]),
      ),
      // What a lowered limit would delete is counted before it is applied.
      ...streams.map(({ name }) => `STREAM.MSG.GET.${name}`),
      // A ledger that is not there yet answers no direct get.
      `STREAM.MSG.GET.${LEDGER}`,
      `STREAM.PURGE.${LEDGER}`,
    ],
    others: [...base.others, bucketSubjects(LEDGER_BUCKET)],
  };
};

const operator: Rule = (spec, streams) => {
  const base = viewer(spec, streams);
  const queues = streams.filter(({ kind }) => kind === 'queue');
  const dlqs = streams.filter(({ kind }) => kind === 'dlq');
  return {
    api: [
      ...base.api,
      ...[...queues, ...dlqs].flatMap(({ name }) => [`STREAM.MSG.DELETE.${name}`, `STREAM.MSG.GET.${name}`]),
      ...dlqs.map(({ name }) => `STREAM.PURGE.${name}`),
      // `dlq replay --wait` follows each copy to its response.
      ...Object.values(spec.queues).flatMap(({ responses }) =>
        responses ? [`STREAM.MSG.GET.${bucketStream(responses.bucket)}`] : [],
      ),
      ...queues.flatMap(({ name, consumers }) => consumers.map((one) => `CONSUMER.PAUSE.${name}.${one}`)),
      // The lock, the journal of replays and the history are kept there; the first of them makes the bucket.
      `STREAM.CREATE.${LEDGER}`,
      `STREAM.PURGE.${LEDGER}`,
      // What an interrupted replay left behind is asked of the leader.
      `STREAM.MSG.GET.${LEDGER}`,
      `STREAM.MSG.DELETE.${LEDGER}`,
    ],
    others: [
      ...base.others,
      bucketSubjects(LEDGER_BUCKET),
      ...queues.flatMap(({ name, config }) => takenSubjects(name, config)),
      // `dlq rebuild` writes what the server should have written, `dlq import` what was archived.
      ...queues.flatMap(({ name }) => [
        advisorySubject('max_deliveries', name),
        advisorySubject('terminated', name),
        rejectedSubject(name),
      ]),
    ],
  };
};

/** The streams that one is while it is moved: itself, its copy, and what it was called before. */
function namesOf({ name, kind, config }: Held): string[] {
  const { [MOVED_FROM]: before } = config;
  const old = typeof before !== 'string' ? [] : [kind === 'bucket' ? bucketStream(before) : before];
  return [name, ...old].flatMap((each) => [each, movingName(each)]);
}

/** What is moved is copied under another name, and the old one removed: no other role may do that. */
const migrator: Rule = (spec, streams) => {
  const [applies, operates] = [applier(spec, streams), operator(spec, streams)];
  const names = [...new Set(streams.flatMap(namesOf))];
  return {
    api: [
      ...applies.api,
      ...operates.api,
      // Who else copies what is moved.
      'STREAM.LIST',
      ...names.flatMap((name) => [
        ...['INFO', 'CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET', 'MSG.DELETE'].map(
          (verb) => `STREAM.${verb}.${name}`,
        ),
        `DIRECT.GET.${name}`,
        `CONSUMER.LIST.${name}`,
        ...['INFO', 'CREATE', 'DELETE', 'PAUSE'].map((verb) => `CONSUMER.${verb}.${name}.>`),
      ]),
    ],
    // A marker, and ids that are to be known, go where nobody else publishes.
    others: [...applies.others, ...operates.others, ...names.map(movingSubject)],
  };
};

const worker: Rule = (spec) => {
  const queues = Object.entries(spec.queues);
  const consumers = queues.flatMap(([name, queue]) => Object.keys(queue.consumers).map((one) => ({ name, one })));
  const buckets = queues.flatMap(([, { responses }]) => (responses ? [responses.bucket] : []));
  return {
    api: [
      // Where it may not list streams, the spec's are looked at one by one.
      ...queues.flatMap(([name, { dlq }]) => [name, ...(dlq ? [dlq.stream] : [])]).map((name) => `STREAM.INFO.${name}`),
      ...consumers.flatMap(({ name, one }) => [`CONSUMER.MSG.NEXT.${name}.${one}`, `CONSUMER.INFO.${name}.${one}`]),
      ...buckets.flatMap((bucket) => [
        `STREAM.INFO.${bucketStream(bucket)}`,
        `DIRECT.GET.${bucketStream(bucket)}.$KV.${bucket}.>`,
      ]),
      'STREAM.NAMES',
    ],
    others: [
      ...consumers.map(({ name, one }) => `$JS.ACK.${name}.${one}.>`),
      ...buckets.map(bucketSubjects),
      ...consumers.map(({ name, one }) => rejectedSubject(name, one)),
    ],
  };
};

const client: Rule = (spec, streams) => ({
  api: Object.values(spec.queues).flatMap(({ responses }) =>
    responses ? [`DIRECT.GET.${bucketStream(responses.bucket)}.$KV.${responses.bucket}.>`] : [],
  ),
  others: streams.filter(({ kind }) => kind === 'queue').flatMap(({ name, config }) => takenSubjects(name, config)),
});

const RULES: Readonly<Record<RoleName, Rule>> = { viewer, applier, migrator, operator, worker, client };

const COMMANDS: Readonly<Record<RoleName, readonly string[]>> = {
  viewer: ['plan', 'status', 'doctor', 'history', 'dlq ls', 'dlq show', 'dlq stats', 'dlq export', 'dlq replays ls'],
  applier: ['plan', 'apply', 'status', 'history'],
  migrator: ['plan', 'apply', 'apply --migrate', 'apply --undo-migrate', 'status', 'history'],
  operator: [
    'status',
    'history',
    'dlq ls',
    'dlq replay',
    'dlq replays stop',
    'dlq purge',
    'dlq rebuild',
    'dlq import',
    'queue pause',
    'queue resume',
    'queue drain',
  ],
  worker: ['worker run'],
  client: ['request send'],
};

const CHANGES_STREAMS =
  'This is no fence against whoever holds it: a stream’s configuration sends what is published there to any subject of its account, also to $JS.API.STREAM.DELETE (republish), and copies any stream of it (sources). Only an account that has this system’s streams and no others keeps that in.';

const NOTES: Readonly<Record<RoleName, readonly string[]>> = {
  viewer: ['It can read every message of the queue and its DLQ.'],
  applier: [
    'Its commands delete no resource: `destroy`, `--prune` and `--allow-replace` need STREAM.DELETE and CONSUMER.DELETE as well. A lower limit deletes messages.',
    CHANGES_STREAMS,
  ],
  migrator: [
    'It can delete every stream of this system. It is needed while something is moved, and not before or after.',
    CHANGES_STREAMS,
  ],
  operator: ['It can delete messages of the queue: replay moves, and purge removes.'],
  worker: ['Whoever may publish acks of a consumer can acknowledge any of its messages, by sequence.'],
  client: ['It can read the response of any request: that of an id, and with a wildcard the newest of all.'],
};

/** The least that a role needs for this system. Pure. */
export function permissionsFor(spec: Spec, role: RoleName): Permissions {
  const { domain, inbox_prefix: inbox = '_INBOX' } = spec.connection;
  const prefix = domain === undefined ? '$JS.API' : `$JS.${domain}.API`;
  const { api, others } = RULES[role](spec, heldStreams(spec));
  const shared =
    'All users with the inbox prefix _INBOX can read each other’s answers: give each its own in connection.inbox_prefix.';
  return {
    system: spec.name,
    role,
    user: `${spec.name}-${role}`,
    publish: [...new Set([...api.map((subject) => `${prefix}.${subject}`), ...others, WHO_AM_I])],
    subscribe: [`${inbox}.>`],
    commands: COMMANDS[role],
    notes: [...NOTES[role], ...(inbox === '_INBOX' ? [shared] : [])],
  };
}
