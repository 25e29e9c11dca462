// A morning at 14:02, as the console's process would tell it: the same each time, so that pictures of it can be compared.
import type {
  About,
  Alike,
  Chosen,
  Deed,
  EntryJson,
  Envelope,
  Finding,
  Listed,
  Overview,
  PlanJson,
  PlansAnswer,
  Queue,
  Queues,
  ReplayRunJson,
  RequestLife,
  Run,
  Schedule,
  ShownLetter,
  Suggestion,
} from '../../../src/console/wire.ts';

export const NOW = '2026-03-10T14:02:31Z';
const at = (clock: string): string => `2026-03-10T${clock}Z`;
const line = (text: string) => ({ argv: text.split(' '), text });
export const answer = <T>(result: T, text: string): Envelope<T> => ({
  result,
  notes: [],
  command: line(text),
  exit: 0,
});

const MAY = { allowed: true, missing: [] } as const;
export const aboutData: About = {
  tool: '0.1.0',
  read_only: false,
  port: 7222,
  target: {
    url: 'nats://n1.example:4222',
    account: 'APP',
    server: { name: 'n1', version: '2.15.2', id: 'NA', jetstream: true, max_payload: 1_048_576 },
    chosen_by: 'context prod',
  },
  server: { state: 'connected', since: at('13:00:00') },
  specs: [],
  command: line('osapi-ops status --all --watch'),
  transforms: ['upper.mjs'],
  may: {
    look: MAY,
    replay: MAY,
    purge: MAY,
    import: MAY,
    apply: MAY,
    move: MAY,
    pause: MAY,
    send: MAY,
    cancel: MAY,
    stop: MAY,
    export: MAY,
  },
  session: { idle_ms: 1_800_000 },
};

const STEPS = 60;
const wave = (from: number, to: number, swing: number): number[] =>
  Array.from({ length: STEPS }, (_, i) => {
    const level = from + ((to - from) * i) / (STEPS - 1);
    return Math.max(0, Math.round((level + swing * Math.sin(i * 1.7) * Math.cos(i * 0.6)) * 10) / 10);
  });

const rates = (into: number[], out: number[], dead: number[]): Queue['rates'] => ({
  step_seconds: 10,
  at: Array.from({ length: STEPS }, (_, i) => Date.parse(NOW) - (STEPS - i) * 10_000),
  in: into,
  out,
  dead,
  now: { in: into.at(-1)!, out: out.at(-1)!, dead: dead.at(-1)! },
});

const queue = (name: string, more: Partial<Queue>): Queue => ({
  name,
  system: 'osapi',
  health: 'ok',
  ready: 0,
  in_flight: 0,
  retrying: 0,
  dead: 0,
  rejected: 0,
  parked: 0,
  redelivered: 0,
  failing: null,
  journalled: 0,
  responses: 0,
  exact: true,
  dying: 0,
  oldest_seconds: 0,
  capacity: {
    messages: 0,
    bytes: 0,
    max_messages: 10_000,
    max_bytes: null,
    share: 0,
    free_messages: 10_000,
    discard: 'new',
  },
  rates: rates(wave(3, 3, 0.4), wave(3, 3, 0.5), wave(0, 0, 0)),
  paused: [],
  consumers: [],
  ...more,
});

const SCHEDULE: Omit<Schedule, 'consumer'> = {
  waits_seconds: [5, 10, 15, 15, 15, 15, 15, 15, 15],
  tries: 10,
  gives_up_after_seconds: 135,
  text: 'tried 10 times in 2 min 15 s: after 5 s, 10 s, then every 15 s',
};

const consumer = (
  name: string,
  pending: number,
  ack_pending: number,
  schedule: Omit<Schedule, 'consumer'>,
): Queue['consumers'][number] => ({
  name,
  pending,
  ack_pending,
  waiting_pulls: 1,
  max_deliver: schedule.tries,
  schedule: { consumer: name, ...schedule },
});

export const queuesData: Queues = {
  at: NOW,
  health: 'critical',
  systems: [{ system: 'osapi', health: 'critical', drift: 1 }],
  findings: [
    {
      system: 'osapi',
      queue: 'REQUESTS',
      id: 'REQUESTS.dead',
      code: 'CHECK_DEAD',
      status: 'critical',
      summary: '312 dead, 6 kept in the DLQ with the payload, the oldest for 50m, 312 within the last hour',
      page: 'docs/checks.md#check_dead',
      next: 'osapi-ops dlq ls --queue REQUESTS',
      act: { kind: 'see', count: 312, filters: { queue: ['REQUESTS'] } },
    },
    {
      system: 'osapi',
      id: 'drift',
      code: 'CHECK_DRIFT',
      status: 'warn',
      summary: 'consumer REQUESTS/request-worker is not as it was applied: max_deliver is 5, not 10',
      page: 'docs/checks.md#check_drift',
      next: 'osapi-ops plan',
      act: { kind: 'plan', count: 1, filters: {} },
    },
    {
      system: 'osapi',
      queue: 'REPORTS',
      id: 'REPORTS/reporter.paused',
      code: 'CHECK_PAUSED',
      status: 'warn',
      summary: 'delivery of REPORTS/reporter is paused until 15:00; 120 wait',
      page: 'docs/checks.md#check_paused',
      next: 'osapi-ops queue resume REPORTS/reporter',
      act: { kind: 'resume', filters: { queue: ['REPORTS'] } },
    },
  ],
  queues: [
    queue('REQUESTS', {
      health: 'critical',
      ready: 2410,
      in_flight: 306,
      retrying: 210,
      dead: 312,
      oldest_seconds: 1320,
      capacity: {
        messages: 3028,
        bytes: 900_000,
        max_messages: 10_000,
        max_bytes: null,
        share: 0.303,
        free_messages: 6972,
        discard: 'new',
      },
      trend: { state: 'grows', per_second: 0.9, seconds: 7800, summary: 'full in about 2h10m' },
      rates: rates(wave(20, 41.2, 3), wave(39, 18, 3), [
        ...Array(20).fill(0),
        ...wave(0, 1.4, 0.3).slice(20, 40),
        ...wave(2.2, 0.4, 0.2).slice(40),
      ]),
      consumers: [consumer('request-worker', 2410, 306, SCHEDULE)],
    }),
    queue('MAIL', {
      ready: 340,
      in_flight: 12,
      oldest_seconds: 41,
      capacity: {
        messages: 352,
        bytes: 120_000,
        max_messages: 5000,
        max_bytes: null,
        share: 0.07,
        free_messages: 4648,
        discard: 'new',
      },
      trend: { state: 'clears', per_second: -2.8, seconds: 120, summary: 'clears in about 2m' },
      consumers: [
        consumer('mailer', 340, 12, {
          waits_seconds: [30, 60, 300, 600],
          tries: 5,
          gives_up_after_seconds: 1590,
          text: 'tried 5 times in 26 min 30 s',
        }),
      ],
    }),
    queue('REPORTS', {
      health: 'warn',
      ready: 120,
      oldest_seconds: 2400,
      capacity: {
        messages: 120,
        bytes: 44_000,
        max_messages: 1000,
        max_bytes: null,
        share: 0.12,
        free_messages: 880,
        discard: 'new',
      },
      rates: rates(wave(0.1, 0.1, 0), wave(0, 0, 0), wave(0, 0, 0)),
      paused: [{ consumer: 'reporter', until: at('15:00:00') }],
      consumers: [
        consumer('reporter', 120, 0, {
          waits_seconds: [60, 60],
          tries: 3,
          gives_up_after_seconds: 180,
          text: 'tried 3 times in 3 min',
        }),
      ],
    }),
  ],
};

const CAUSES = [
  ['upstream 503', 290, '13:40:11', '14:02:07'],
  ['timeout after 30 s', 14, '13:41:02', '13:59:40'],
  ['bad payload: no query', 6, '13:12:01', '13:50:30'],
  [null, 2, '13:20:00', '13:44:12'],
] as const;

const columns = (total: number, first: number, last: number): number[] => {
  const counts: number[] = Array(62).fill(0);
  for (let i = 0; i < total; i += 1) {
    counts[Math.floor(first + (last - first) * (i / total) ** 1.6)]! += 1;
  }
  return counts;
};

const suggestion = (key: string, values: Readonly<Record<string, number>>, more = 0): Suggestion => ({
  key,
  values: Object.entries(values).map(([value, count]) => ({ value, count, where: `${key}=${value}` })),
  more,
});

export const overviewData: Overview = {
  ...answer(
    {
      total: 312,
      groups: CAUSES.map(([detail, count, first, last]) => ({
        by: { detail },
        count,
        first_seen: at(first),
        last_seen: at(last),
        sample: 'REQUESTS/request-worker/88214',
        where: [detail === null ? 'detail!=*' : `detail=${detail}`],
        replay: detail === null ? null : `osapi-ops dlq replay --queue REQUESTS --where 'detail=${detail}'`,
      })),
    },
    'osapi-ops dlq stats --by detail --queue REQUESTS --since 1h',
  ),
  timeline: {
    from: at('13:00:30'),
    to: at('14:02:30'),
    step_seconds: 60,
    groups: [
      { by: { detail: 'upstream 503' }, count: 290, counts: columns(290, 39, 62) },
      { by: { detail: 'timeout after 30 s' }, count: 14, counts: columns(14, 40, 59) },
      { by: { detail: 'bad payload: no query' }, count: 6, counts: columns(6, 12, 50) },
      { by: { detail: null }, count: 2, counts: columns(2, 20, 44) },
    ],
    undated: 0,
  },
  suggest: [
    suggestion('queue', { REQUESTS: 312 }),
    suggestion('subject', { 'requests.dns': 298, 'requests.mail': 14 }),
    suggestion('detail', { 'upstream 503': 290, 'timeout after 30 s': 14 }, 2),
    suggestion('json:.region', { eu: 200, us: 112 }),
    suggestion('header:Tenant', { acme: 120 }, 4),
  ],
  states: { replayable: 308, parked: 2, gone: 2, orphan: 0 },
  looked_at: NOW,
};

const entry = (index: number): EntryJson => {
  const [detail] = CAUSES[index % 31 === 30 ? 1 : index % 47 === 46 ? 2 : 0]!;
  const died = Date.parse(at('14:02:07')) - index * 4300;
  return {
    id: `REQUESTS/request-worker/${88_214 - index * 5}`,
    queue: 'REQUESTS',
    consumer: 'request-worker',
    seq: 88_214 - index * 5,
    subject: index % 9 === 8 ? 'requests.mail' : 'requests.dns',
    request_id: `9f3c${(0xa1b2c3 - index * 911).toString(16)}`,
    state: index === 5 ? 'gone' : index === 9 ? 'parked' : 'replayable',
    reason: 'max_deliveries',
    detail,
    deliveries: 10,
    died_at: new Date(died).toISOString(),
    published_at: new Date(died - 1_860_000).toISOString(),
    size: 164,
    replays: 0,
  };
};

export const listedData: Listed = {
  ...answer(
    Array.from({ length: 200 }, (_, index) => entry(index)),
    'osapi-ops dlq ls --queue REQUESTS --since 1h',
  ),
  from: 0,
  next: null,
};

export const shownData: Envelope<ShownLetter> = {
  ...answer(
    {
      ...entry(0),
      headers: {
        'Nats-Msg-Id': ['9f3ca1b2c3'],
        Tenant: ['acme'],
        traceparent: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
      },
      payload:
        '{"id": "9f3ca1b2c3", "query": "example.com", "ttl": 12345678901234567890, "region": "eu", "options": {"recursive": true, "servers": ["192.0.2.1", "192.0.2.2"]}}',
      timeline: [
        { at: at('13:31:07'), event: 'published' as const, detail: 'on requests.dns' },
        { at: at('13:31:07'), event: 'delivered' as const, detail: 'try 1 of 10', computed: true },
        { at: at('13:31:12'), event: 'delivered' as const, detail: 'try 2 of 10', computed: true },
        { at: at('14:02:07'), event: 'died' as const, detail: 'after 10 deliveries: upstream 503' },
      ],
      records: [{ stream: 'requests_dlq', seq: 1204, kind: 'advisory' as const, time: at('14:02:07') }],
    },
    'osapi-ops dlq show REQUESTS/request-worker/88214',
  ),
};

export const alikeData: Alike = {
  ...answer(
    {
      request_id: '88190',
      seq: 88_190,
      subject: 'requests.dns',
      published_at: at('13:30:50'),
      answered_at: at('13:30:51'),
      differences: [
        { path: 'json:.ttl', dead: '12345678901234567890', lived: '300' },
        { path: 'json:.options.servers[1]', dead: '192.0.2.2', lived: null },
      ],
    },
    'osapi-ops dlq show REQUESTS/request-worker/88214',
  ),
};

export const historyData: Envelope<readonly Deed[]> = answer(
  [
    {
      id: '3',
      at: at('13:52:10'),
      system: 'osapi',
      tool: '0.1.0',
      server: '2.15.2',
      pid: 4711,
      verb: 'replay',
      who: 'ana',
      host: 'laptop',
      summary: '200 replayed, 12 died again',
    },
    {
      id: '2',
      at: at('13:38:02'),
      system: 'osapi',
      tool: '0.1.0',
      server: '2.15.2',
      pid: 4711,
      verb: 'apply',
      who: 'jo',
      host: 'ci-7',
      ci: 'GitHub osapi/deploy #812',
      summary: '1 to change',
    },
    {
      id: '1',
      at: '2026-03-09T09:12:44Z',
      system: 'osapi',
      tool: '0.1.0',
      server: '2.15.2',
      pid: 4711,
      verb: 'pause',
      who: 'ana',
      host: 'laptop',
      summary: 'REPORTS paused until 15:00',
    },
  ],
  'osapi-ops history --limit 500',
);

export const replaysData: readonly ReplayRunJson[] = [
  {
    id: '20260310T140110-ana',
    state: 'running',
    who: 'ana',
    host: 'laptop',
    pid: 4711,
    started_at: at('14:01:10'),
    updated_at: at('14:02:30'),
    queues: ['REQUESTS'],
    line: "osapi-ops dlq replay --queue REQUESTS --where 'detail=upstream 503' --canary 5 --rate 50/s --wait",
    chosen: 290,
    replayed: 214,
    answered: 180,
    acked: 3,
    died: 6,
    skipped: 2,
    failed: 1,
    waiting: 73,
    seconds_left: 24,
    failures: [{ id: 'REQUESTS/request-worker/88101', error: 'died again: upstream 503', new_seq: 88240 }],
  },
  {
    id: '20260310T135210-jo',
    state: 'done',
    who: 'jo',
    host: 'ci-7',
    ci: 'GitHub osapi/deploy #812',
    pid: 12,
    started_at: at('13:52:10'),
    updated_at: at('13:53:40'),
    queues: ['REQUESTS', 'MAIL'],
    line: 'osapi-ops dlq replay --since 1h',
    chosen: 200,
    replayed: 200,
    answered: 188,
    acked: 0,
    died: 12,
    skipped: 0,
    failed: 0,
    waiting: 0,
    seconds_left: null,
    failures: [],
    finished_for: [{ id: '20260310T135150-jo', count: 2, replayed: 40 }],
    finished_by: [{ id: '20260310T140110-ana', count: 1 }],
  },
];

const FINDINGS: readonly Finding[] = [
  {
    code: 'RISK_REDELIVERY',
    severity: 'warning',
    resource: 'consumer REQUESTS/request-worker',
    field: 'max_deliver',
    message: '210 that are being retried get 5 more tries.',
  },
];

export const plansData: PlansAnswer = {
  ...answer<readonly PlanJson[]>(
    [
      {
        system: 'osapi',
        server: { name: 'n1', version: '2.15.2' },
        target: { url: 'nats://n1.example:4222', account: 'APP', chosen_by: 'context prod' },
        changes: [
          {
            action: 'update',
            kind: 'consumer',
            name: 'REQUESTS/request-worker',
            role: 'worker',
            origin: 'server',
            reason: 'somebody changed it on the server since it was applied',
            fields: [
              {
                path: 'max_deliver',
                from: 5,
                to: 10,
                impact: 'in-place',
                origin: 'server',
                note: 'Requests are tried so often before they are dead; what died already stays dead.',
              },
              { path: 'backoff', from: ['5s', '10s'], to: ['5s', '10s', '15s'], impact: 'in-place', origin: 'server' },
            ],
            retries: SCHEDULE.text,
          },
        ],
        findings: FINDINGS,
        left_alone: [],
        summary: { create: 0, update: 1, replace: 0, delete: 0, unchanged: 5 },
      },
    ],
    'osapi-ops plan',
  ),
  plans: [{ system: 'osapi', digest: 'd1', pending: true, source: null }],
};

export const chosenData: Chosen = {
  ...answer(
    {
      replayed: 0,
      skipped: 2,
      failed: 0,
      remaining: 0,
      groups: [
        {
          queue: 'REQUESTS',
          consumer: 'request-worker',
          subject: 'requests.dns',
          reason: 'max_deliveries',
          detail: null,
          count: 288,
          first_died_at: at('13:40:11'),
          last_died_at: at('14:02:07'),
        },
      ],
    },
    "osapi-ops dlq replay --queue REQUESTS --where 'detail=upstream 503'",
  ),
  notes: [{ type: 'note', text: '2 are gone: acked late' }],
  plan: 'plan-1',
  looked_at: NOW,
  count: 288,
  acts: {
    argv: ['osapi-ops', 'dlq', 'replay', '--queue=REQUESTS', '--where=detail=upstream 503'],
    text: "osapi-ops dlq replay --queue=REQUESTS '--where=detail=upstream 503'",
  },
};

export const purgeRun: Run = {
  id: 'run-7',
  verb: 'purge',
  state: 'done',
  started_at: at('14:00:00'),
  ended_at: at('14:00:02'),
  command: line('osapi-ops dlq purge --ids FILE'),
  tells: [{ type: 'note', text: 'the archive holds 6 entries' }],
  result: { purged: 6, originals: 6 },
  archive: { name: 'purged-20260310.ndjson', bytes: 9_120 },
};

export const lifeData = answer<RequestLife>(
  {
    id: '9f3ca1b2c3',
    state: 'dead',
    queue: 'REQUESTS',
    consumer: 'request-worker',
    subject: 'requests.dns',
    seq: 88_214,
    deliveries: 10,
    detail: 'upstream 503',
    entry: 'REQUESTS/request-worker/88214',
    timeline: [
      { at: at('13:31:07'), event: 'published', detail: 'stored as message 88214 of REQUESTS' },
      { at: at('13:31:07'), event: 'delivered', detail: 'try 1 of 10', computed: true },
      { at: at('13:31:12'), event: 'failed', detail: 'upstream 503' },
      { at: at('14:02:07'), event: 'died', detail: 'after 10 deliveries' },
    ],
    payload: { id: '9f3ca1b2c3', query: 'example.com' },
  },
  'osapi-ops request show 9f3ca1b2c3',
);
