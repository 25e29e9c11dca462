import { describe, expect, test } from '@jest/globals';
import { example, topExample } from '../../../../scripts/generate/rule-examples.ts';
import { type Config, isObject } from '../../../../src/lib/model/json.ts';
import { assembleSpec } from '../../../../src/lib/spec/assemble.ts';
import { fixSpec } from '../../../../src/lib/spec/fix.ts';
import type { SpecProblem } from '../../../../src/lib/spec/problem.ts';
import { RULES, runRules } from '../../../../src/lib/spec/rules/judge.ts';

import { loadText, readForm } from '../support.ts';

/**
 * A spec, or the fields of its queue ORDERS, and what the rule finds there: `path | word | …`, each word in what is told.
 * A path that begins with a dot is below the queue. Without findings: the rule keeps quiet.
 */
type Row = readonly [text: string, ...found: string[]];

const TOP = /^(queues|streams|buckets|connection|min_server_version):/;
const packer = (fields: string): string => `consumers: {packer: {${fields}}}`;
const answers = (queue: string): string => `responses: {bucket: answers, ${queue}}`;

const EDGES: Readonly<Record<string, readonly Row[]>> = {
  SPEC_NAME_REFUSED: [
    [`queues: {${'Q'.repeat(255)}: {}}`],
    [`queues: {${'Q'.repeat(256)}: {}}`, `queues.${'Q'.repeat(256)} | stream | more than 255 characters`],
    [`queues: {${'é'.repeat(127)}: {}}`],
    [`queues: {${'é'.repeat(128)}: {}}`, `queues.${'é'.repeat(128)} | more than 255`],
    ['dlq: {stream: ""}', '.dlq.stream | the stream name "" is empty'],
    ['queues: {a b: {}}', 'queues.a b | stream | "a b" has a blank'],
    ['queues: {"a\\tb": {}}', 'queues.a\tb | has a blank'],
    ['queues: {"a\\x07b": {}}', 'queues.a\x07b | has a control character'],
    ['queues: {a.b: {}}', 'queues.a.b | has a `.`'],
    ['queues: {"a*": {}}', 'queues.a* | has a `*`'],
    ['queues: {a>b: {}}', 'queues.a>b | has a `>`'],
    ['queues: {a/b: {}}', 'queues.a/b | has a `/`'],
    ['queues: {"a\\\\b": {}}', 'queues.a\\b | has a `\\`'],
    ['streams: {ä-1_$: {}}'],
    ['streams: {a.b: {}}', 'streams.a.b | stream'],
    ['dlq: {stream: a.b}', '.dlq.stream | the stream name "a.b" has a `.`'],
    ['consumers: {a.b: {}}', '.consumers.a.b | the consumer name "a.b"'],
    [`consumers: {${'c'.repeat(256)}: {}}`, `.consumers.${'c'.repeat(256)} | more than 255`],
    ['responses: {bucket: a.b}', '.responses.bucket | bucket | "a.b" has other characters than letters'],
    ['buckets: {a b: {}}', 'buckets.a b | has other characters'],
    ['buckets: {A-z_09: {}}'],
    ['buckets: {é: {}}', 'buckets.é | has other characters'],
    ['responses: {bucket: ""}', '.responses.bucket | the bucket name "" is empty'],
    [`buckets: {${'b'.repeat(252)}: {}}`],
    [`buckets: {${'b'.repeat(253)}: {}}`, `buckets.${'b'.repeat(253)} | more than 252`],
    ['buckets: {osapi_ops: {}}', 'buckets.osapi_ops | osapi_ops is taken | lock'],
    ['responses: {bucket: osapi_ops}', '.responses.bucket | osapi_ops is taken'],
    ['buckets: {osapi_ops2: {}}'],
  ],
  SPEC_NAME_TWICE: [
    ['streams: {A: {}, B: {}}'],
    ['queues: {A: {}}\nstreams: {A: {}}', 'streams.A | A is a stream here and a queue at queues.A\n | another name'],
    ['queues: {A: {dlq: {stream: D}}, B: {dlq: {stream: D}}}'],
    [
      'queues: {A: {dlq: {stream: D}}, B: {dlq: {stream: D, max_age: 1d}}}',
      'queues.B.dlq.stream | D is the DLQ of B here and the DLQ of A at queues.A.dlq.stream, with other fields | same fields',
    ],
    [
      'queues: {A: {dlq: {stream: D}}}\nstreams: {D: {}}',
      'streams.D | D is a stream here and the DLQ of A at queues.A.dlq.stream | another name',
    ],
    ['queues: {D: {}, A: {dlq: {stream: D}}}', 'queues.A.dlq.stream | the DLQ of A here and a queue at queues.D'],
    ['queues: {A: {responses: {bucket: b, ttl: 1d}}, B: {responses: {bucket: b, ttl: 1d}}}'],
    ['queues: {A: {dlq: {stream: D, max_age: 1d}}, B: {dlq: {stream: D, max_age: 1d}}}'],
    ['queues: {A: {responses: {bucket: b}}, B: {responses: {bucket: b}}}'],
    [
      'queues: {A: {responses: {bucket: b}}, B: {responses: {bucket: b, ttl: 1d}}}',
      'queues.B.responses.bucket | KV_b is the responses of B here and the responses of A at queues.A.responses.bucket, with other fields',
    ],
    [
      'queues: {A: {responses: {bucket: b}}}\nbuckets: {b: {}}',
      'buckets.b | KV_b is a bucket here and the responses of A at queues.A.responses.bucket | another name',
    ],
    ['queues: {KV_b: {}}\nbuckets: {b: {}}', 'buckets.b | KV_b is a bucket here and a queue at queues.KV_b'],
    [
      'queues: {A: {dlq: {stream: KV_b}, responses: {bucket: b}}}',
      'queues.A.responses.bucket | the responses of A here and the DLQ of A at queues.A.dlq.stream | another name',
    ],
  ],
  SPEC_METADATA_RESERVED: [
    ['metadata: {osapi-ops.owner: x}', '.metadata.osapi-ops.owner | osapi-ops.owner is reserved'],
    ['metadata: {_nats.ver: x, team: y}', '.metadata._nats.ver | _nats.ver'],
    ['metadata: {osapi-ops: x, nats.ver: x}'],
    [packer('metadata: {osapi-ops.x: y}'), '.consumers.packer.metadata.osapi-ops.x | osapi-ops.x'],
    [answers('metadata: {_nats.x: y}'), '.responses.metadata._nats.x | _nats.x'],
    ['buckets: {b: {metadata: {_nats.x: y}}}', 'buckets.b.metadata._nats.x | _nats.x'],
  ],
  SPEC_MOVED_FROM: [
    ['moved_from: ORDERS_1'],
    ['moved_from: ORDERS', '.moved_from | stream ORDERS says moved_from itself | leave it out'],
    ['moved_from: a.b', '.moved_from | the stream name "a.b" has a `.` | as it is on the server'],
    ['moved_from: ""', '.moved_from | the stream name "" is empty'],
    [`moved_from: ${'Q'.repeat(255)}`],
    [`moved_from: ${'Q'.repeat(256)}`, '.moved_from | more than 255 characters'],
    [
      'queues: {A: {moved_from: B}, B: {}}',
      'queues.A.moved_from | stream A says moved_from B, which this spec declares',
    ],
    [
      'queues: {A: {moved_from: B}, B: {moved_from: C}}',
      'queues.A.moved_from | moved_from B, which this spec declares',
    ],
    ['queues: {A: {moved_from: D, dlq: {stream: D}}}', 'queues.A.moved_from | moved_from D, which this spec declares'],
    ['queues: {A: {moved_from: KV_b}}\nbuckets: {b: {}}', 'queues.A.moved_from | moved_from KV_b, which this spec'],
    ['queues: {A: {moved_from: b}}\nbuckets: {b: {}}'],
    [
      'queues: {A: {moved_from: C}}\nstreams: {B: {moved_from: C}}',
      'streams.B.moved_from | streams A and B both say moved_from C | keep it at that one',
    ],
    ['queues: {A: {dlq: {stream: D, moved_from: C}}, B: {dlq: {stream: D, moved_from: C}}}'],
    [
      'dlq: {stream: D, moved_from: ORDERS}',
      '.dlq.moved_from | stream D says moved_from ORDERS, which this spec declares',
    ],
    [packer('moved_from: packer'), '.consumers.packer.moved_from | consumer packer says moved_from itself'],
    [packer('moved_from: a.b'), '.consumers.packer.moved_from | the consumer name "a.b"'],
    [packer('moved_from: ORDERS')],
    [
      'consumers: {a: {moved_from: b}, b: {}}',
      '.consumers.a.moved_from | consumer a says moved_from b, which this spec declares',
    ],
    [
      'consumers: {a: {moved_from: c}, b: {moved_from: c}}',
      '.consumers.b.moved_from | consumers a and b both say moved_from c',
    ],
    ['queues: {A: {consumers: {a: {moved_from: c}}}, B: {consumers: {b: {moved_from: c}}}}'],
    [answers('moved_from: answers'), '.responses.moved_from | bucket answers says moved_from itself'],
    [answers('moved_from: a.b'), '.responses.moved_from | other characters than letters'],
    [answers('moved_from: osapi_ops'), '.responses.moved_from | the bucket osapi_ops is not moved | the lock'],
    ['queues: {A: {moved_from: osapi_ops}}'],
    ['buckets: {a: {moved_from: b}, b: {}}', 'buckets.a.moved_from | bucket a says moved_from b, which this spec'],
    [
      'buckets: {a: {moved_from: b}}\nqueues: {KV_b: {}}',
      'buckets.a.moved_from | moved_from b, which this spec declares',
    ],
    ['buckets: {a: {moved_from: b}}\nqueues: {b: {}}'],
    [`buckets: {a: {moved_from: ${'b'.repeat(252)}}}`],
    [`buckets: {a: {moved_from: ${'b'.repeat(253)}}}`, 'buckets.a.moved_from | more than 252'],
  ],
  SPEC_SUBJECT: [
    ['subjects: [a.b, a.*.c, "*", a.>]'],
    ['subjects: [x, a..b]', '.subjects.1 | "a..b" is no subject | single dots'],
    ['subjects: [a b]', '.subjects.0 | "a b"'],
    ['subjects: [.a]', '.subjects.0 | ".a"'],
    ['subjects: [a.]', '.subjects.0 | "a."'],
    ['subjects: [a.>.b]', '.subjects.0 | "a.>.b"'],
    ['subjects: [">"]', '.subjects.0 | > takes in JetStream’s own requests | 10052 | your own'],
    ['subjects: [">"]\nno_ack: true'],
    ['subjects: ["$JS.API.>"]', '.subjects.0 | $JS.API.> takes in'],
    ['subjects: ["$JS.API.INFO"]', '.subjects.0 | $JS.API.INFO takes in'],
    ['subjects: ["$JS.>"]\nno_ack: true'],
    [
      'republish: {src: a, dest: $JS.API.STREAM.DELETE.X}',
      '.republish.dest | what ORDERS stores would be sent to $JS.API',
    ],
    ['republish: {src: a, dest: $JS.hub.API.INFO}', '.republish.dest | '],
    ['republish: {src: a, dest: $SYS.REQ.X}', '.republish.dest | '],
    ['republish: {src: a, dest: $JSON.x}'],
    ['republish: {src: a, dest: x.$JS.API}'],
    ['subjects: ["$JS.EVENT.>"]'],
    ['streams: {S: {subjects: [a..b]}}', 'streams.S.subjects.0 | a..b'],
    ['dlq: {stream: D, subjects: [a..b]}', '.dlq.subjects.0 | a..b'],
    [packer('filter_subject: a..b'), '.consumers.packer.filter_subject | a..b'],
    [packer('filter_subjects: [a, b..c]'), '.consumers.packer.filter_subjects | b..c'],
    [packer('filter_subject: a, filter_subjects: [b..c]'), '.consumers.packer.filter_subjects | b..c'],
    [packer('filter_subject: a.b')],
  ],
  SPEC_SUBJECT_QUOTED: [
    ['subjects: [a, “b”]', '.subjects.1 | “b” has quotes'],
    ['subjects: ["‘b"]', '.subjects.0 | ‘b'],
    ['subjects: [b»]', '.subjects.0 | b»'],
    ['subjects: ["b\'"]', ".subjects.0 | b'"],
    ['subjects: ["b“c", "b\\"c", b]'],
    ['subjects: [""]'],
    ['republish: {src: “a”, dest: b}', '.republish.src | “a”'],
    ['republish: {src: a, dest: “b”}', '.republish.dest | “b”'],
    ['subject_transform: {src: a, dest: “b”}', '.subject_transform.dest | “b”'],
    [
      'streams: {S: {sources: [{name: A}, {name: B, filter_subject: “a”}]}}',
      'streams.S.sources.1.filter_subject | “a”',
    ],
    [packer('filter_subject: “a”'), '.consumers.packer.filter_subject | “a”'],
    [packer('deliver_subject: “a”'), '.consumers.packer.deliver_subject | “a”'],
    [packer('filter_subjects: [a, “b”]'), '.consumers.packer.filter_subjects.1 | “b”'],
  ],
  SPEC_SUBJECTS_OVERLAP: [
    ['streams: {A: {subjects: [a.*]}, B: {subjects: [b.*]}}'],
    [
      'streams: {A: {subjects: [a.*]}, B: {subjects: [b, a.x]}}',
      'streams.B.subjects.1 | a.x of B overlaps a.* of A | narrow one of them',
    ],
    ['streams: {A: {}, B: {subjects: [A]}}', 'streams.B.subjects.0 | A of B overlaps A of A'],
    ['streams: {A: {subjects: [B]}, B: {}}', 'streams.B | B of B overlaps B of A'],
    ['streams: {A: {subjects: [a.x, b, a.*]}}', 'streams.A.subjects.2 | a.* and a.x of A overlap | keep the wider one'],
    ['streams: {A: {subjects: [a..x, a..x]}}'],
    ['streams: {A: {subjects: [a], mirror: {name: B}}, C: {subjects: [a]}}'],
    ['streams: {A: {sources: [{name: B}], subjects: [a]}, C: {subjects: [a]}}'],
    ['streams: {A: {sources: [], subjects: [a]}, C: {subjects: [a]}}', 'streams.C.subjects.0 | a of C'],
    ['queues: {A: {dlq: {stream: D, subjects: [d]}}, B: {dlq: {stream: D, subjects: [d]}}}'],
    [
      'queues: {A: {dlq: {stream: D, capture: [terminated]}}}\nstreams: {X: {subjects: [osapi-ops.rejected.>]}}',
      'streams.X.subjects.0 | overlaps osapi-ops.rejected.A.* of D',
    ],
    ['queues: {A: {dlq: {stream: D, capture: [max_deliveries]}}}\nstreams: {X: {subjects: [osapi-ops.rejected.>]}}'],
  ],
  SPEC_FILTER_UNMATCHED: [
    [`subjects: [a.*, b]\n${packer('filter_subject: a.x')}`],
    [
      `subjects: [a.*, b]\n${packer('filter_subject: c')}`,
      '.consumers.packer.filter_subject | the filter c of ORDERS/packer matches no subject of ORDERS (a.*, b) | filter on what ORDERS stores',
    ],
    [`subjects: [a, b]\n${packer('filter_subjects: [b, c]')}`, '.consumers.packer.filter_subjects.1 | filter c'],
    [`subjects: [a]\n${packer('filter_subject: b..c')}`],
    [packer('filter_subject: a'), '.consumers.packer.filter_subject | ORDERS (ORDERS)'],
    [packer('filter_subject: ""')],
    [`subjects: [a]\nsubject_transform: {src: a, dest: b}\n${packer('filter_subject: b')}`],
    [`subjects: [a]\nsubject_transform: {}\n${packer('filter_subject: b')}`, '.consumers.packer.filter_subject | b'],
    ['streams: {S: {sources: [{name: T}], consumers: {c: {filter_subject: b}}}}'],
    ['streams: {S: {mirror: {name: T}, consumers: {c: {filter_subject: b}}}}'],
  ],
  SPEC_FILTERS_BOTH: [
    [packer('filter_subject: a, filter_subjects: [b]'), '.consumers.packer.filter_subject | ORDERS/packer has both'],
    [packer('filter_subject: a, filter_subjects: []')],
    [packer('filter_subject: "", filter_subjects: [b]')],
    [packer('filter_subjects: [b]')],
  ],
  SPEC_FILTERS_OVERLAP: [
    [packer('filter_subjects: [a, b]')],
    [
      packer('filter_subjects: [a, b.*, b.c]'),
      '.consumers.packer.filter_subjects.2 | the filters b.* and b.c of ORDERS/packer overlap',
    ],
    ['consumers: {p: {filter_subjects: [a]}, q: {filter_subjects: [a]}}'],
  ],
  SPEC_WORKQUEUE_DELIVER_POLICY: [
    [packer('deliver_policy: all')],
    [
      packer('deliver_policy: new'),
      '.consumers.packer.deliver_policy | consumer ORDERS/packer: deliver_policy new on a workqueue stream',
    ],
    [`retention: limits\n${packer('deliver_policy: new')}`],
    [packer('')],
  ],
  SPEC_WORKQUEUE_ACK: [
    [packer('ack_policy: explicit')],
    [packer('ack_policy: flow_control')],
    [packer('ack_policy: all'), '.consumers.packer.ack_policy | ORDERS/packer: ack_policy all on a workqueue'],
    [`retention: interest\n${packer('ack_policy: none')}`],
  ],
  SPEC_WORKQUEUE_CONSUMERS: [
    ['consumers: {p: {}}'],
    ['consumers: {p: {filter_subject: a}, q: {filter_subject: b}}'],
    ['consumers: {p: {}, q: {ack_policy: flow_control, sourcing: true}}'],
    ['consumers: {p: {}, q: {ack_policy: flow_control}}', '.consumers.q | both take everything'],
    ['consumers: {p: {}, q: {}}', '.consumers.q | consumers p and q of ORDERS both take everything'],
    [
      'consumers: {p: {}, q: {filter_subject: a}}',
      '.consumers.q.filter_subject | p and q | both take everything and a',
    ],
    ['consumers: {p: {filter_subject: a}, q: {}}', '.consumers.q | both take a and everything'],
    ['consumers: {p: {filter_subject: a}, q: {filter_subject: a}}', '.consumers.q.filter_subject | both take a\n'],
    ['consumers: {p: {filter_subject: ""}, q: {}}', '.consumers.q | both take everything\n'],
    [
      'consumers: {p: {filter_subject: a.*}, q: {filter_subjects: [b, a.x]}}',
      '.consumers.q.filter_subjects | both take a.* and a.x',
    ],
    [
      'consumers: {p: {filter_subject: a}, q: {filter_subject: a}, r: {filter_subject: a}}',
      '.consumers.q.filter_subject | p and q',
      '.consumers.r.filter_subject | p and r',
    ],
    ['retention: limits\nconsumers: {p: {}, q: {}}'],
    ['streams: {S: {retention: workqueue, consumers: {p: {}, q: {}}}}', 'streams.S.consumers.q | of S'],
  ],
  SPEC_QUEUE_UNCOVERED: [
    ['subjects: [a, b]\nconsumers: {p: {filter_subject: a}, q: {filter_subject: b}}'],
    ['subjects: [a, b]'],
    ['subjects: [a, b]\nconsumers: {p: {filter_subject: a}, q: {}}'],
    [
      'subjects: [a, b]\nconsumers: {p: {filter_subject: a}}',
      '.subjects.1 | no consumer of ORDERS takes requests on b\n | widen',
    ],
    [
      'subjects: [a.*]\nconsumers: {p: {filter_subject: a.x}, q: {filter_subject: a.y}}',
      '.subjects.0 | requests on a.* beyond a.x, a.y',
    ],
    ['consumers: {p: {filter_subject: ORDERS}}'],
    ['subjects: [a]\nconsumers: {p: {filter_subject: c}}'],
    [
      'subjects: [a, b.*]\nconsumers: {p: {filter_subjects: [c, b.x]}}',
      '.subjects.0 | on a',
      '.subjects.1 | b.* beyond b.x',
    ],
    ['subjects: [a, b]\nallow_msg_schedules: true\nconsumers: {p: {filter_subject: a}}'],
    ['subjects: [a, b]\nallow_msg_schedules: false\nconsumers: {p: {filter_subject: a}}', '.subjects.1 | on b'],
    ['subjects: [a, b]\nsubject_transform: {src: a, dest: b}\nconsumers: {p: {filter_subject: a}}'],
    ['retention: limits\nsubjects: [a, b]\nconsumers: {p: {filter_subject: a}}'],
    ['streams: {S: {retention: workqueue, subjects: [a, b], mirror: {name: T}, consumers: {p: {filter_subject: a}}}}'],
    [
      'streams: {S: {retention: workqueue, subjects: [a, b], sources: [{name: T}], consumers: {p: {filter_subject: a}}}}',
    ],
  ],
  SPEC_QUEUE_DISCARD_OLD: [
    ['max_msgs: 1', '.max_msgs | ORDERS drops its oldest | max_msgs is reached | 10077'],
    ['max_msgs: 0'],
    ['max_msgs: -1\nmax_bytes: 1GiB', '.max_bytes | max_bytes is reached'],
    ['max_msgs_per_subject: 3', '.max_msgs_per_subject | when max_msgs_per_subject'],
    ['discard: old\nmax_msgs: 1', '.discard | max_msgs is reached'],
    ['discard: new\nmax_msgs: 1'],
    ['retention: limits\nmax_msgs: 1'],
    ['streams: {S: {retention: workqueue, max_msgs: 1}}'],
  ],
  SPEC_QUEUE_UNLIMITED: [
    ['discard: new', '.discard | queue ORDERS discards the newest at a limit'],
    ['discard: new\nmax_msgs: 0\nmax_bytes: -1', '.discard | no limit'],
    ['discard: new\nmax_msgs: 1'],
    ['discard: new\nmax_bytes: 1'],
    ['discard: new\ndiscard_new_per_subject: true\nmax_msgs_per_subject: 1'],
    ['discard: new\ndiscard_new_per_subject: true', '.discard | no limit'],
    ['discard: new\nmax_msgs_per_subject: 1', '.discard | no limit'],
    ['discard: old'],
    ['streams: {S: {discard: new}}'],
  ],
  SPEC_QUEUE_DENY_DELETE: [
    ['deny_delete: true', '.deny_delete | queue ORDERS: deny_delete makes replay and purge impossible'],
    ['deny_delete: false'],
    ['dlq: {stream: D, deny_delete: true}', '.dlq.deny_delete | DLQ D: deny_delete'],
    ['streams: {S: {deny_delete: true}}'],
  ],
  SPEC_QUEUE_NO_ACK: [
    ['no_ack: true', '.no_ack | queue ORDERS: no_ack leaves every publisher without'],
    ['no_ack: false'],
    ['dlq: {stream: D, no_ack: true}', '.dlq.no_ack | DLQ D: no_ack'],
    ['streams: {S: {no_ack: true}}'],
  ],
  SPEC_MAX_AGE_SHORT: [
    ['max_age: 99ms', '.max_age | max_age is 99ms | 100ms or more'],
    ['max_age: 100ms'],
    ['max_age: 0'],
    ['max_age: 1ms', '.max_age | 1ms | write 100ms'],
    ['max_age: 999us', '.max_age | write a unit, as in 999000s'],
    ['max_age: 30ns', '.max_age | max_age is 30ns | as in 30s'],
    ['dlq: {stream: D, max_age: 99ms}', '.dlq.max_age | 99ms'],
    [answers('ttl: 99ms'), '.responses.ttl | ttl is 99ms'],
    [answers('ttl: 100ms')],
    ['buckets: {b: {ttl: 99ms}}', 'buckets.b.ttl | ttl is 99ms'],
  ],
  SPEC_DUPLICATE_WINDOW: [
    ['max_age: 1m\nduplicate_window: 61s', '.duplicate_window | 1m1s is longer than max_age 1m | 1m or less'],
    ['max_age: 1m\nduplicate_window: 1m'],
    ['max_age: 1m\nduplicate_window: 59s'],
    ['dlq: {stream: D, max_age: 1m, duplicate_window: 2m}', '.dlq.duplicate_window | 2m'],
  ],
  SPEC_DISCARD_PER_SUBJECT: [
    ['discard: new\ndiscard_new_per_subject: true', '.discard_new_per_subject | without max_msgs_per_subject'],
    ['discard: new\ndiscard_new_per_subject: true\nmax_msgs_per_subject: 1'],
  ],
  SPEC_DENY_PURGE_ROLLUP: [
    ['deny_purge: true\nallow_rollup_hdrs: true', '.deny_purge | deny_purge and allow_rollup_hdrs'],
    ['deny_purge: true'],
  ],
  SPEC_DISCARD_NEW_REFUSED: [
    ['discard: new\nallow_msg_schedules: true', '.allow_msg_schedules | with discard new'],
    ['discard: old\nallow_msg_schedules: true'],
  ],
  SPEC_MIRROR: [
    ['streams: {S: {mirror: {name: T}}}'],
    [
      'streams: {S: {mirror: {name: T}, subjects: [a]}}',
      'streams.S.subjects | cannot have subjects | leave subjects out',
    ],
    ['streams: {S: {mirror: {name: T}, subjects: []}}'],
    ['streams: {S: {mirror: {name: T}, sources: [{name: U}]}}', 'streams.S.sources | cannot have sources'],
    ['streams: {S: {mirror: {name: T}, sources: [], first_seq: 0}}'],
    ['streams: {S: {mirror: {name: T}, first_seq: 1}}', 'streams.S.first_seq | cannot have first_seq'],
    ['streams: {S: {subjects: [a], first_seq: 1}}'],
  ],
  SPEC_REPLICAS_EVEN: [
    ['num_replicas: 1'],
    ['num_replicas: 2', '.num_replicas | ORDERS has 2 replicas | write 3 (or 1)'],
    ['num_replicas: 3'],
    ['num_replicas: 4', '.num_replicas | ORDERS has 4 replicas | write 3 or 5'],
    ['num_replicas: 5'],
    [answers('num_replicas: 2'), '.responses.num_replicas | answers has 2 replicas'],
  ],
  SPEC_REPLICAS_ONE_SERVER: [
    [
      'connection: {servers: ["nats://127.0.0.1:4222"]}\nqueues: {Q: {num_replicas: 2, responses: {bucket: b, num_replicas: 3}}}',
      'queues.Q.num_replicas | Q wants 2 replicas of the one server',
      'queues.Q.responses.num_replicas | b wants 3 replicas',
    ],
    ['connection: {servers: ["nats://127.0.0.1:4222"]}\nqueues: {Q: {num_replicas: 1}}'],
    ['connection: {servers: ["nats://127.0.0.1:4222"]}\nqueues: {Q: {}}'],
    ['connection: {servers: [localhost, localhost:4333]}\nqueues: {Q: {num_replicas: 3}}'],
    ['connection: {}\nqueues: {Q: {num_replicas: 3}}'],
    ...['localhost', 'LOCALHOST:4222', '127.10.20.30', 'tls://localhost/', '"[::1]:4222"', 'u:p@localhost'].map(
      (server): Row => [
        `connection: {servers: [${server}]}\nqueues: {Q: {num_replicas: 3}}`,
        'queues.Q.num_replicas | Q wants 3',
      ],
    ),
    ...[
      'nats.example',
      'localhost.example',
      'my-localhost',
      '128.0.0.1',
      '127.0.0.1.example',
      'localhost:42x',
      'localhost:4222/x',
    ].map((server): Row => [`connection: {servers: [${server}]}\nqueues: {Q: {num_replicas: 3}}`]),
  ],
  SPEC_PERSIST_ASYNC_REPLICAS: [
    ['persist_mode: async\nnum_replicas: 2', '.persist_mode | persist_mode async with 2 replicas'],
    ['persist_mode: async\nnum_replicas: 1'],
    ['persist_mode: async'],
    ['persist_mode: default\nnum_replicas: 2'],
  ],
  SPEC_SCHEDULES_TAKEN: [
    [
      'subjects: [a, s.>]\nallow_msg_schedules: true\nconsumers: {p: {}}',
      '.allow_msg_schedules | queue ORDERS: every subject goes to a worker | schedules.>',
    ],
    [
      'subjects: [a, s.>]\nallow_msg_schedules: true\nconsumers: {p: {filter_subject: a}, q: {filter_subject: s.>}}',
      '.allow_msg_schedules | ORDERS',
    ],
    ['subjects: [a, s.>]\nallow_msg_schedules: true\nconsumers: {p: {filter_subject: a}, q: {filter_subject: s.x}}'],
    [
      'subjects: [a, s.>]\nallow_msg_schedules: true\nconsumers: {p: {filter_subjects: [a, s.>]}}',
      '.allow_msg_schedules | ORDERS',
    ],
    ['subjects: [a]\nallow_msg_schedules: true'],
    ['subjects: [a]\nconsumers: {p: {}}'],
    ['retention: limits\nsubjects: [a]\nallow_msg_schedules: true\nconsumers: {p: {}}'],
    ['streams: {S: {sources: [{name: T}], retention: workqueue, allow_msg_schedules: true, consumers: {p: {}}}}'],
    ['streams: {S: {mirror: {name: T}, retention: workqueue, allow_msg_schedules: true, consumers: {p: {}}}}'],
  ],
  SPEC_BACKOFF_TOO_LONG: [
    [
      packer('max_deliver: 1, backoff: [1s, 2s]'),
      '.consumers.packer.backoff | ORDERS/packer: backoff has 2 steps, but max_deliver is 1',
    ],
    [packer('max_deliver: 2, backoff: [1s, 2s]')],
  ],
  SPEC_WAIT_NOT_POSITIVE: [
    [packer('backoff: [1s, 0]'), '.consumers.packer.backoff.1 | ORDERS/packer: step 2 of backoff is 0s | such as 1s'],
    [packer('backoff: [1ns]')],
    [packer('ack_wait: 0'), '.consumers.packer.ack_wait | ORDERS/packer: ack_wait is 0 | such as 30s'],
    [packer('ack_wait: 1ns')],
    [packer('')],
  ],
  SPEC_ACK_WAIT_OVERRIDDEN: [
    [
      packer('ack_wait: 6s, backoff: [5s, 6s]'),
      '.consumers.packer.ack_wait | ORDERS/packer: ack_wait 6s is overridden by backoff, which begins with 5s | or write 5s',
    ],
    [packer('ack_wait: 5s, backoff: [5s, 6s]')],
    [packer('ack_wait: 0, backoff: [5s]')],
    [packer('ack_wait: 5s, backoff: [0]')],
    [packer('ack_wait: 5s, backoff: []')],
    [packer('ack_wait: 5s')],
    [packer('backoff: [5s]')],
  ],
  SPEC_MAX_ACK_PENDING_LOW: [
    [
      packer('max_ack_pending: 99, backoff: [1s], max_deliver: 3'),
      '.consumers.packer.max_ack_pending | ORDERS/packer: 99 failing requests stall it for up to 3s | 100 or more',
    ],
    [packer('max_ack_pending: 100, backoff: [1s], max_deliver: 3')],
    [packer('max_ack_pending: 99, backoff: [999ms], max_deliver: 3')],
    [
      packer('max_ack_pending: 1, backoff: [1ms, 1s]'),
      '.consumers.packer.max_ack_pending | 1 failing request stalls it for ever',
    ],
    [packer('max_ack_pending: 0, backoff: [1s]')],
    [packer('max_ack_pending: -1, backoff: [1s]')],
    [packer('max_ack_pending: 10, ack_wait: 30s')],
    [packer('backoff: [1s]')],
    [
      packer('max_ack_pending: 9, backoff: [1s, 2s, 5s], max_deliver: 2'),
      '.consumers.packer.max_ack_pending | for up to 3s',
    ],
    [
      packer('max_ack_pending: 9, backoff: [1s, 2s], max_deliver: 4'),
      '.consumers.packer.max_ack_pending | for up to 7s',
    ],
  ],
  SPEC_NEVER_DIES: [
    ['dlq: {stream: D}\nconsumers: {p: {}}', '.consumers.p.max_deliver | ORDERS/p tries a failing request for ever'],
    ['dlq: {stream: D}\nconsumers: {p: {max_deliver: -1}}', '.consumers.p.max_deliver | ORDERS/p'],
    ['dlq: {stream: D}\nconsumers: {p: {max_deliver: 0}}', '.consumers.p.max_deliver | ORDERS/p'],
    ['dlq: {stream: D}\nconsumers: {p: {max_deliver: 1}}'],
    ['consumers: {p: {}}'],
    ['streams: {S: {consumers: {p: {}}}}'],
  ],
  SPEC_PUSH_PULL: [
    ...['rate_limit_bps: 1', 'idle_heartbeat: 5s', 'flow_control: true', 'deliver_group: g'].flatMap((field): Row[] => {
      const name = field.split(':')[0];
      return [
        [
          packer(field),
          `.consumers.packer.${name} | ORDERS/packer: ${name} is for push consumers ( | leave ${name} out, or add deliver_subject`,
        ],
        [
          packer(
            `deliver_subject: d, idle_heartbeat: 5s, ${field.replace('idle_heartbeat', 'rate_limit_bps')}`.replace(
              'rate_limit_bps: 5s',
              'rate_limit_bps: 2',
            ),
          ),
        ],
      ];
    }),
    ...['max_waiting: 1', 'max_batch: 1', 'max_expires: 1s', 'max_bytes: 1', 'priority_groups: [g]'].flatMap(
      (field): Row[] => {
        const name = field.split(':')[0];
        return [
          [
            packer(`deliver_subject: d, ${field}`),
            `.consumers.packer.${name} | ORDERS/packer: ${name} is for pull consumers ( | leave ${name} out.`,
          ],
          [packer(field)],
          [packer(`deliver_subject: "", ${field}`)],
        ];
      },
    ),
    [packer('rate_limit_bps: 1'), '.consumers.packer.rate_limit_bps | err_code 10086'],
    [packer('idle_heartbeat: 5s'), '.consumers.packer.idle_heartbeat | err_code 10088'],
    [packer('flow_control: true'), '.consumers.packer.flow_control | err_code 10089'],
    [packer('deliver_subject: d, max_waiting: 1'), '.consumers.packer.max_waiting | err_code 10080'],
    [packer('deliver_subject: d, priority_groups: [g]'), '.consumers.packer.priority_groups | err_code 10178'],
    [packer('rate_limit_bps: 0, idle_heartbeat: 0, flow_control: false, deliver_group: ""')],
    [packer('deliver_subject: d, priority_groups: []')],
    [
      packer('deliver_subject: d, flow_control: true'),
      '.consumers.packer.flow_control | ORDERS/packer: flow_control without idle_heartbeat (err_code 10108) | add idle_heartbeat',
    ],
    [packer('deliver_subject: d, flow_control: true, idle_heartbeat: 0'), '.consumers.packer.flow_control | without'],
    [packer('deliver_subject: d, flow_control: true, idle_heartbeat: 1s')],
    [packer('deliver_subject: d, flow_control: false')],
  ],
  SPEC_START: [
    ['streams: {S: {consumers: {c: {deliver_policy: by_start_sequence, opt_start_seq: 1}}}}'],
    [
      'streams: {S: {consumers: {c: {deliver_policy: by_start_sequence, opt_start_seq: 0}}}}',
      'streams.S.consumers.c.deliver_policy | S/c: deliver_policy by_start_sequence without opt_start_seq | add opt_start_seq',
    ],
    [
      'streams: {S: {consumers: {c: {deliver_policy: by_start_time}}}}',
      'streams.S.consumers.c.deliver_policy | by_start_time without opt_start_time',
    ],
    ['streams: {S: {consumers: {c: {deliver_policy: by_start_time, opt_start_time: "2024-01-01T00:00:00Z"}}}}'],
    [
      'streams: {S: {consumers: {c: {opt_start_seq: 5}}}}',
      'streams.S.consumers.c.opt_start_seq | S/c: opt_start_seq with deliver_policy all | write deliver_policy: by_start_sequence, or leave opt_start_seq out',
    ],
    [
      'streams: {S: {consumers: {c: {deliver_policy: new, opt_start_time: "2024-01-01T00:00:00Z"}}}}',
      'streams.S.consumers.c.opt_start_time | opt_start_time with deliver_policy new | write deliver_policy: by_start_time',
    ],
    [packer('opt_start_seq: 5'), '.consumers.packer.opt_start_seq | ORDERS/packer | leave opt_start_seq out.'],
    ['streams: {S: {consumers: {c: {opt_start_seq: 0}}}}'],
    [
      'streams: {S: {consumers: {c: {deliver_policy: last_per_subject}}}}',
      'streams.S.consumers.c.deliver_policy | S/c: deliver_policy last_per_subject without a filter | add filter_subject',
    ],
    ['streams: {S: {consumers: {c: {deliver_policy: last_per_subject, filter_subject: a}}}}'],
    ['streams: {S: {consumers: {c: {deliver_policy: last_per_subject, filter_subjects: [a]}}}}'],
    [
      'streams: {S: {consumers: {c: {deliver_policy: last_per_subject, filter_subjects: []}}}}',
      'streams.S.consumers.c.deliver_policy | without a filter',
    ],
    ['streams: {S: {consumers: {c: {deliver_policy: last}}}}'],
  ],
  SPEC_CONSUMER_REPLICAS: [
    [`num_replicas: 3\n${packer('')}`],
    [`num_replicas: 3\n${packer('num_replicas: 0')}`],
    [`num_replicas: 3\n${packer('num_replicas: 3')}`],
    [
      `num_replicas: 3\n${packer('num_replicas: 1')}`,
      '.consumers.packer.num_replicas | ORDERS/packer has 1 replica, its stream 3 | leave num_replicas out',
    ],
    [packer('num_replicas: 1')],
    [packer('num_replicas: 3'), '.consumers.packer.num_replicas | has 3 replicas, its stream 1'],
    [`retention: limits\nnum_replicas: 3\n${packer('num_replicas: 3')}`],
    [`retention: limits\nnum_replicas: 3\n${packer('num_replicas: 1')}`],
    [
      `retention: interest\nnum_replicas: 3\n${packer('num_replicas: 2')}`,
      '.consumers.packer.num_replicas | has 2 replicas',
    ],
    [
      `retention: limits\nnum_replicas: 3\n${packer('num_replicas: 4')}`,
      '.consumers.packer.num_replicas | has 4 replicas, its stream 3',
    ],
  ],
  SPEC_PRIORITY: [
    [packer('priority_policy: overflow, priority_groups: [g]')],
    [
      packer('priority_policy: overflow'),
      '.consumers.packer.priority_policy | ORDERS/packer: priority_policy without priority_groups | add priority_groups',
    ],
    [packer('priority_policy: overflow, priority_groups: []'), '.consumers.packer.priority_policy | without'],
    [
      packer('priority_groups: [g]'),
      '.consumers.packer.priority_groups | ORDERS/packer: priority_groups without priority_policy | add priority_policy',
    ],
    [packer('priority_policy: none, priority_groups: [g]'), '.consumers.packer.priority_groups | without'],
    [packer('priority_policy: none')],
    [packer('')],
  ],
  SPEC_CONSUMER_OVER_LIMITS: [
    [
      `consumer_limits: {max_ack_pending: 99}\n${packer('max_ack_pending: 100')}`,
      '.consumers.packer.max_ack_pending | ORDERS/packer: max_ack_pending 100 is over the 99',
    ],
    [`consumer_limits: {max_ack_pending: 100}\n${packer('max_ack_pending: 100')}`],
  ],
  SPEC_DLQ_CAPTURE: [
    ['dlq: {stream: D}'],
    ['dlq: {stream: D, capture: [max_deliveries, terminated]}'],
    [
      'dlq: {stream: D, capture: [max_deliveries]}',
      '.dlq.capture | the DLQ D misses requests a worker terminated | it means both',
    ],
    ['dlq: {stream: D, capture: [terminated]}', '.dlq.capture | D misses requests that used up max_deliver'],
    ['dlq: {stream: D, capture: [max_deliveries], subjects: [a]}'],
  ],
  SPEC_DLQ_SUBJECTS: [
    ['dlq: {stream: D}'],
    [
      'dlq: {stream: D, subjects: [a], capture: [max_deliveries]}',
      '.dlq.subjects | the DLQ D miss requests that used up max_deliver: $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.* | leave subjects out',
    ],
    ['dlq: {stream: D, subjects: [x, "$JS.EVENT.ADVISORY.CONSUMER.*.ORDERS.*"]}'],
    ['dlq: {stream: D, subjects: ["$JS.EVENT.ADVISORY.CONSUMER.*.ORDERS.*"]}'],
    [
      'dlq: {stream: D, subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"]}',
      '.dlq.subjects | requests a worker terminated: $JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.ORDERS.*',
    ],
    [
      'dlq: {stream: D, subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.p"], capture: [max_deliveries]}',
      '.dlq.subjects | ORDERS.*',
    ],
    [
      'consumers: {p: {}}\ndlq: {stream: D, subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.p"], capture: [max_deliveries]}',
    ],
    [
      'consumers: {p: {}, q: {filter_subject: orders.q}}\ndlq: {stream: D, subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDERS.p"], capture: [max_deliveries]}',
      '.dlq.subjects | ORDERS.*',
    ],
    ['queues: {A: {}}\nstreams: {D: {subjects: [x, "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.A.*"]}}'],
    [
      'queues: {A: {}}\nstreams: {D: {subjects: [x, "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.B.*"]}}',
      'streams.D.subjects.1 | MSG_TERMINATED.B.* captures the dead letters of a stream this spec does not declare | `dlq`',
    ],
    ['streams: {A: {}, D: {subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.A.*"]}}'],
    ['streams: {D: {subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.D.*"]}}'],
    ['streams: {D: {subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"]}}'],
    ['streams: {D: {subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIESX.B.*"]}}'],
    ['queues: {A: {subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.B.*"]}}'],
  ],
  SPEC_DLQ_RETENTION: [
    ['dlq: {stream: D}'],
    ['dlq: {stream: D, retention: limits}'],
    ['dlq: {stream: D, retention: workqueue}', '.dlq.retention | the DLQ D has retention workqueue'],
    ['dlq: {stream: D, retention: interest}', '.dlq.retention | interest'],
    ['streams: {S: {retention: interest}}'],
  ],
  SPEC_DLQ_DANGLING: [
    ['max_age: 7d\ndlq: {stream: D, max_age: 7d}'],
    [
      'max_age: 7d\ndlq: {stream: D, max_age: 8d}',
      '.dlq.max_age | the DLQ D keeps entries 8d, but queue ORDERS keeps requests 7d | write max_age: 7d here',
    ],
    ['max_age: 7d\ndlq: {stream: D, max_age: 6d}'],
    ['max_age: 7d\ndlq: {stream: D}', '.dlq.max_age | keeps entries for ever, but queue ORDERS keeps requests 7d'],
    ['dlq: {stream: D, max_age: 8d}'],
    ['dlq: {stream: D}'],
  ],
  SPEC_DLQ_OUTLIVED: [
    ['max_age: 7d\ndlq: {stream: D, max_age: 7d}'],
    [
      'max_age: 7d\ndlq: {stream: D, max_age: 6d}',
      '.dlq.max_age | the DLQ D keeps entries 6d, but queue ORDERS keeps requests 7d | write 7d, or',
    ],
    ['max_age: 1h\ndlq: {stream: D, max_age: 1h}'],
    ['max_age: 7d\ndlq: {stream: D}'],
    ['dlq: {stream: D, max_age: 24h}'],
    [
      'dlq: {stream: D, max_age: 23h}',
      '.dlq.max_age | keeps entries 23h, but queue ORDERS keeps requests for ever | write 30d',
    ],
  ],
  SPEC_DLQ_CAP: [
    ['max_msgs: 10\ndlq: {stream: D, max_msgs: 10}'],
    [
      'max_msgs: 10\ndlq: {stream: D, max_msgs: 9}',
      '.dlq.max_msgs | the DLQ D holds 9 entries, but queue ORDERS 10 requests | write max_msgs: 10 or more',
    ],
    ['max_msgs: 10\ndlq: {stream: D, max_msgs: 11}'],
    ['max_msgs: 10\ndlq: {stream: D, max_msgs: -1}'],
    ['max_msgs: 10\ndlq: {stream: D}'],
    ['dlq: {stream: D, max_msgs: 1}'],
  ],
  SPEC_RESPONSE_TTL: [
    [`${answers('ttl: 10s')}\n${packer('max_deliver: 2, backoff: [4s, 6s]')}`],
    [
      `${answers('ttl: 9s')}\n${packer('max_deliver: 2, backoff: [4s, 6s]')}`,
      '.responses.ttl | responses in answers live 9s, but a request of ORDERS may be tried for 10s | write ttl: 20s or more',
    ],
    [`${answers('ttl: 0')}\n${packer('max_deliver: 2, backoff: [4s, 6s]')}`],
    [`responses: {bucket: b}\n${packer('max_deliver: 2, backoff: [4s, 6s]')}`],
    [`${answers('ttl: 59s')}\n${packer('max_deliver: 2')}`, '.responses.ttl | tried for 1m'],
    [`${answers('ttl: 1m')}\n${packer('max_deliver: 2')}`],
    [`${answers('ttl: 9s')}\n${packer('max_deliver: 2, ack_wait: 5s')}`, '.responses.ttl | tried for 10s'],
    [`${answers('ttl: 1s')}\n${packer('backoff: [5s]')}`],
    [`${answers('ttl: 1s')}\n${packer('max_deliver: 0')}`],
    [`${answers('ttl: 1s')}\n${packer('max_deliver: 1, backoff: [1s]')}`],
    [
      `${answers('ttl: 1s')}\nconsumers: {p: {max_deliver: 1, ack_wait: 1s}, q: {max_deliver: 1, ack_wait: 2s}}`,
      '.responses.ttl | tried for 2s',
    ],
    [answers('ttl: 1s')],
    [
      'queues: {A: {consumers: {p: {max_deliver: 1, ack_wait: 1m}}}, B: {responses: {bucket: b, ttl: 1s}, consumers: {p: {max_deliver: 1, ack_wait: 2s}}}}',
      'queues.B.responses.ttl | request of B may be tried for 2s',
    ],
    ['queues: {A: {responses: {bucket: b, ttl: 1s}, dlq: {stream: A2}}}\nbuckets: {c: {ttl: 1s}}'],
  ],
  SPEC_FIELD_NEWER: [
    ['queues: {Q: {allow_msg_ttl: true}}'],
    ['min_server_version: "2.11"\nqueues: {Q: {allow_msg_ttl: true}}'],
    ['min_server_version: "2.12"\nqueues: {Q: {allow_msg_ttl: true}}'],
    [
      'min_server_version: "2.10"\nqueues: {Q: {allow_msg_ttl: true}}',
      'queues.Q.allow_msg_ttl | allow_msg_ttl needs server 2.11, but min_server_version is 2.10 | raise min_server_version to "2.11", or leave allow_msg_ttl out',
    ],
    ['min_server_version: "2.10"\nqueues: {Q: {max_age: 1h}}'],
    [
      'min_server_version: "2.9"\nqueues: {Q: {}}',
      'min_server_version | min_server_version 2.9 is older than 2.10.0 | metadata | "2.10" or newer',
    ],
    [
      'min_server_version: "2.10"\nqueues: {Q: {consumers: {p: {priority_policy: overflow, priority_groups: [g]}}}}',
      'queues.Q.consumers.p.priority_groups | priority_groups needs server 2.11',
      'queues.Q.consumers.p.priority_policy | priority_policy needs server 2.11',
    ],
    [
      'min_server_version: "2.10"\nbuckets: {b: {limit_marker_ttl: 1h}}',
      'buckets.b.limit_marker_ttl | limit_marker_ttl needs server 2.11',
    ],
    [
      'min_server_version: "2.10"\nstreams: {S: {mirror: {name: T, consumer: {name: c, deliver_subject: d}}}}',
      'streams.S.mirror.consumer | consumer needs server 2.14',
    ],
    [
      'min_server_version: "2.10"\nstreams: {S: {sources: [{name: A}, {name: B, consumer: {name: c, deliver_subject: d}}]}}',
      'streams.S.sources.1.consumer | consumer needs server 2.14',
    ],
    [
      'min_server_version: "2.13"\nstreams: {S: {consumers: {c: {ack_policy: flow_control}}}}',
      'streams.S.consumers.c.ack_policy | ack_policy: flow_control needs server 2.14 | leave ack_policy: flow_control out',
    ],
    ['min_server_version: "2.14"\nstreams: {S: {consumers: {c: {ack_policy: flow_control}}}}'],
    ['min_server_version: "2.13"\nstreams: {S: {metadata: {since: x}, consumers: {c: {ack_policy: all}}}}'],
    ['min_server_version: "2.14"\nstreams: {S: {mirror: {name: T, consumer: {name: c, deliver_subject: d}}}}'],
  ],
  SPEC_HEALTH_ORDER: [
    ['health: {dead: {warn: 10, critical: 10}}'],
    [
      'health: {dead: {warn: 11, critical: 10}}',
      '.health.dead | health.dead of ORDERS: warn is above critical | exchange',
    ],
    ['health: {dead: {warn: 9, critical: 10}}'],
    ['health: {backlog: {warn: off, critical: 10}}'],
    ['health: {backlog: {warn: 10, critical: off}}'],
    ['health: {oldest: {warn: 2h, critical: 3h}}'],
    ['health: {oldest: {warn: 2h}}', '.health.oldest | health.oldest'],
    ['health: {usage: {critical: 50%}}\ndlq: {stream: D}', '.health.usage | health.usage'],
  ],
  SPEC_SECRET: [
    [
      'connection: {user: u, password: p}\nqueues: {Q: {}}',
      `connection.password | connection.password is written in the spec | \${NATS_PASSWORD} | has been seen`,
    ],
    ['connection: {token: t}\nqueues: {Q: {}}', `connection.token | connection.token | \${NATS_TOKEN}`],
    [`connection: {token: "\${T:-}"}\nqueues: {Q: {}}`],
    [`connection: {token: "\${T:-x}"}\nqueues: {Q: {}}`],
    ['connection: {token: null}\nqueues: {Q: {}}'],
    [`connection: {servers: "\${URL:-nats://u:p@b}"}\nqueues: {Q: {}}`],
    ['connection: {servers: ["a?x=nats://u@b"]}\nqueues: {Q: {}}'],
    ['connection: {token: ""}\nqueues: {Q: {}}'],
    ['connection: {user: u}\nqueues: {Q: {}}'],
    [
      'connection: {servers: ["nats://a:4222", "nats://u:p@b:4222"]}\nqueues: {Q: {}}',
      'connection.servers | a user or password | from the environment',
    ],
    ['connection: {servers: "nats://u@b:4222"}\nqueues: {Q: {}}', 'connection.servers | user or password'],
    ['connection: {servers: ["NATS://u@b"]}\nqueues: {Q: {}}', 'connection.servers | user or password'],
    ['connection: {servers: ["nats://a/u@b", "nats://a:4222"]}\nqueues: {Q: {}}'],
    [`connection: {servers: ["nats://a", "\${URL:-nats://u:p@b}"]}\nqueues: {Q: {}}`],
  ],
  SPEC_NOTHING_DECLARED: [
    ['queues: {}', ' | declares no queue, stream or bucket'],
    ['queues: {Q: {}}'],
    ['streams: {S: {}}'],
    ['buckets: {b: {}}'],
  ],
};

/** Problems as rows tell them. */
const found = (problems: readonly SpecProblem[]) =>
  problems.map(({ path, message, hint, why }) => ({
    path: path!.replace(/^queues\.ORDERS(?=\.|$)/, ''),
    told: [message, hint, why].join('\n'),
    isTold: message !== '' && hint !== '' && why !== '',
  }));

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Every path in a tree of maps. */
function* pathsOf(value: object, path: readonly string[] = []): Generator<readonly string[]> {
  for (const [key, part] of Object.entries(value)) {
    yield [...path, key];
    if (isObject(part)) yield* pathsOf(part, [...path, key]);
  }
}

function without(value: Config, [key, ...rest]: readonly string[]): Config {
  const { [key!]: part, ...others } = value;
  return rest.length > 0 ? { ...value, [key!]: without(part as Config, rest) } : others;
}

describe.each(Object.entries(EDGES))('%s', (id, rows) => {
  const rules = RULES.filter((each) => each.id === id);
  const read = (text: string) => readForm(TOP.test(text) ? topExample(text) : example(text));

  test.each(
    rows.map(([text, ...wanted]) => ({
      name: `${text.replaceAll('\n', ', ')}: ${wanted.join('; ') || 'fine'}`.slice(0, 200),
      text,
      wanted,
    })),
  )('$name', ({ text, wanted }) => {
    const { spec, root } = read(text);
    expect(found(runRules(spec!, root!, [], rules))).toEqual(
      wanted.map((one) => {
        const [path, ...words] = one.split(' | ');
        const told = expect.stringMatching(new RegExp(words.map((word) => `(?=[^]*${quoted(word)})`).join('')));
        return { path, told, isTold: true };
      }),
    );
  });

  test('finds nothing more where a field could not be read', () => {
    const more: string[] = [];
    for (const [text] of rows) {
      const { spec, root, written } = read(text);
      const known = found(runRules(spec!, root!, [], rules)).map(({ path, told }) => `${path} ${told}`);
      for (const path of pathsOf(written!)) {
        // These two are required: without them nothing of a DLQ or of responses is left.
        if (['version', 'name', 'stream', 'bucket'].includes(path.at(-1)!)) continue;
        const half = assembleSpec(without(written as Config, path));
        const now = found(runRules(half, root!, [path], rules)).map(({ path, told }) => `${path} ${told}`);
        more.push(
          ...now.filter((each) => !known.includes(each)).map((each) => `${text}, without ${path.join('.')}: ${each}`),
        );
      }
    }
    expect(more).toEqual([]);
  });
});

test('every rule has its edges', () => {
  expect(RULES.map(({ id }) => id).filter((id) => EDGES[id] === undefined)).toEqual([]);
});

test('a fault in one resource does not keep a rule from another, but where it compares them', async () => {
  const codes = async (text: string): Promise<string[]> =>
    (await loadText(topExample(text))).problems.map(({ code, path }) => `${code} ${path}`);
  expect(
    await codes(
      'queues: {A: {retention: {}, consumers: {p: {ack_policy: all}}}, B: {consumers: {p: {ack_policy: all}}}}',
    ),
  ).toEqual(['SPEC_TYPE queues.A.retention', 'SPEC_WORKQUEUE_ACK queues.B.consumers.p.ack_policy']);
  expect(await codes('queues: {retention: {max_age: x, consumers: {p: {ack_policy: all}}}}')).toEqual([
    'SPEC_TYPE queues.retention.max_age',
    'SPEC_WORKQUEUE_ACK queues.retention.consumers.p.ack_policy',
  ]);
  expect(await codes('streams: {A: {subjects: [a], mirror: 1}, B: {subjects: [a]}}')).toEqual([
    'SPEC_TYPE streams.A.mirror',
  ]);
  expect(await codes('streams: {A: {subjects: [a], max_age: x}, B: {subjects: [a]}}')).toEqual([
    'SPEC_TYPE streams.A.max_age',
    'SPEC_SUBJECTS_OVERLAP streams.B.subjects.0',
  ]);
});

/** What `--fix` makes of the fields of a queue; where it is left out, nothing is safe to write. */
const MENDS: readonly (readonly [text: string, mended?: string])[] = [
  ['no_ack: true\nmax_age: 1h', 'max_age: 1h'],
  ['max_age: 1h\nno_ack:   true   ', 'max_age: 1h'],
  ['no_ack: true # for speed\nmax_age: 1h', '# for speed\nmax_age: 1h'],
  ['max_age: 1h\nno_ack: true\r\n# end', 'max_age: 1h\n# end'],
  ['metadata: {osapi-ops.x: y}'],
  ['metadata:\n  osapi-ops.x: "y"\n  team: z', 'metadata:\n  team: z'],
  ['metadata: {\n  osapi-ops.x: y,\n  team: z}'],
  ['metadata: {osapi-ops.x: y\n  }'],
  ['metadata: {\n  osapi-ops.x: y }'],
  ['dlq: {stream: D, retention: interest}', 'dlq: {stream: D, retention: limits}'],
  ['dlq: {stream: D, retention: "interest"}', 'dlq: {stream: D, retention: "limits"}'],
  ["dlq: {stream: D, retention: 'interest'}", "dlq: {stream: D, retention: 'limits'}"],
  [`dlq: {stream: D, retention: "\${R:-interest}"}`],
  ['dlq: {stream: D, retention: &r interest}'],
  ['dlq: &d {stream: D, retention: interest}'],
  [
    'metadata: {team: &t x}\ndlq: {stream: D, retention: interest}',
    'metadata: {team: &t x}\ndlq: {stream: D, retention: limits}',
  ],
  [
    'dlq: {stream: D, retention: interest, metadata: {team: &t x}}',
    'dlq: {stream: D, retention: limits, metadata: {team: &t x}}',
  ],
  [packer('deliver_policy: new'), packer('deliver_policy: all')],
  [packer('ack_policy: all')],
  [packer('max_deliver: 3, ack_wait: 30s, backoff: [5s]'), packer('max_deliver: 3, ack_wait: 5s, backoff: [5s]')],
];

test.each(MENDS.map(([text, mended]) => ({ text, mended: mended ?? text })))(
  '$text is mended to $mended',
  async ({ text, mended }) => {
    const around = (fields: string): string => example(fields).replace(/\n$/, '');
    const { problems } = await loadText(around(text));
    expect(fixSpec(around(text), problems).text.trimEnd()).toBe(around(mended));
  },
);
