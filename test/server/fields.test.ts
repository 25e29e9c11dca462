import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FIELDS } from '../../src/lib/facts/fields.ts';
import { parseVersion } from '../../src/lib/facts/versions.ts';
import type { Json } from '../../src/lib/model/json.ts';
import type { LossFigure, Plan } from '../../src/lib/model/plan.ts';
import { type DesiredResource, keyOf, type ResourceKind } from '../../src/lib/model/resource.ts';
import { measureLosses } from '../../src/lib/observed/losses.ts';
import { makePlan } from '../../src/lib/plan/make-plan.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { CASES, type Fate, type FieldCase } from './fields-cases.ts';
import { desiredOf, Lab, Refused, resourceOf } from './fields-lab.ts';

const BASE: Record<ResourceKind, Record<string, Json>> = {
  stream: { subjects: ['NAME.>'], retention: 'workqueue', discard: 'new' },
  consumer: { ack_policy: 'explicit' },
  bucket: { history: 10 },
};

const named = <T>(value: T, name: string): T => JSON.parse(JSON.stringify(value).replaceAll('NAME', name)) as T;

/** The resources of a case: the one it is about, last, and a consumer's stream before it. */
function resourcesOf(kind: ResourceKind, name: string, each: FieldCase, side: 'from' | 'to'): DesiredResource[] {
  const own = named(side === 'from' ? (each.from ?? {}) : each.to, name);
  if (kind !== 'consumer') return [resourceOf(kind, name, named(BASE[kind], name), own)];
  const stream = resourceOf('stream', name, named(BASE.stream, name), each.stream ?? {});
  return [stream, resourceOf('consumer', `${name}/w`, BASE.consumer, own)];
}

async function fill(lab: Lab, kind: ResourceKind, name: string, each: FieldCase): Promise<void> {
  if (each.messages === false) return;
  const prefix = kind === 'bucket' ? `$KV.${name}` : name;
  await lab.publish(`${prefix}.a`, 12);
  if (each.pause) await new Promise((resolve) => setTimeout(resolve, each.pause));
  await lab.publish(`${prefix}.a`, 3);
  await lab.publish(`${prefix}.b`, 5);
}

/** What the plan says will become of it. */
function foretold(plan: Plan): Fate {
  const [change] = plan.changes.slice(-1);
  if (!change) return 'nothing';
  if (plan.findings.some(({ severity, needs }) => severity === 'refuse' && !needs)) return 'refused';
  return change.action === 'replace' ? 'replace' : 'in-place';
}

const lossOf = (plan: Plan): number =>
  plan.findings.filter(({ code }) => code === 'RISK_DATA_LOSS').reduce((sum, { count = 0 }) => sum + count, 0);

/** A count that is still falling settles within a second or two: expiry has its own rhythm. */
async function settled(count: () => Promise<number>, want: number): Promise<number> {
  for (let tries = 0; ; tries++) {
    const now = await count();
    if (now === want || tries >= 30) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.each(availableVersions())('nats-server %s', (line) => {
  let server: TestServer;
  let lab: Lab;
  const minor = parseVersion(line)[1];

  beforeAll(async () => {
    server = await startServer({ version: line });
    lab = await Lab.open(server.url);
    for (const name of ['ORIGIN', 'OTHER']) {
      await lab.api(`STREAM.CREATE.${name}`, { name, subjects: [`${name.toLowerCase()}.>`] });
    }
    await lab.api('STREAM.CREATE.DIRECT', { name: 'DIRECT', subjects: ['direct.>'], allow_direct: true });
    await lab.api('STREAM.CREATE.KV_origin', {
      name: 'KV_origin',
      subjects: ['$KV.origin.>'],
      allow_rollup_hdrs: true,
    });
  });

  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const table = (Object.keys(CASES) as ResourceKind[]).flatMap((kind) =>
    CASES[kind].map((each, at) => ({
      kind,
      each,
      at,
      title: `${kind} ${each.field}${each.name ? `: ${each.name}` : ''}`,
    })),
  );

  test.each(table)('$title: what the plan says is what the server does', async ({ kind, each, at }) => {
    const name = `${kind.slice(0, 1)}${at}`;
    const fate = typeof each.fate === 'function' ? each.fate(minor) : each.fate;
    if (fate === 'unsure') return;
    const to = resourcesOf(kind, name, each, 'to');
    const subject = to.at(-1)!;
    const keys = to.map(keyOf);
    const empty = { target: lab.target, resources: new Map() };
    if (fate === 'too-old') {
      const sides = [...to, ...resourcesOf(kind, name, each, 'from')];
      expect(() => makePlan({ desired: desiredOf(...sides), observed: empty })).toThrow(/does not have/);
      return;
    }
    const from = resourcesOf(kind, name, each, 'from');
    await lab.run(makePlan({ desired: desiredOf(...from), observed: empty }).steps);
    expect(makePlan({ desired: desiredOf(...from), observed: await lab.read(keys) }).changes).toEqual([]);
    await fill(lab, kind, name, each);

    const observed = await lab.read(keys);
    const losses = await measureLosses(lab.nats, { desired: desiredOf(...to), observed }, new Date());
    const plan = makePlan({ desired: desiredOf(...to), observed, losses });
    const deletes = fate === 'refused' ? 0 : lossOf(plan);
    expect({ fate: foretold(plan), deletes }).toEqual({ fate, deletes: each.deletes ?? 0 });
    expect(
      [...losses.values()].flat().every((figure: LossFigure) => figure.exact || figure.field === 'max_bytes'),
    ).toBe(true);

    if (fate === 'refused' || fate === 'replace') {
      const stream = observed.resources.get(`stream ${name}`)?.config;
      const sent = lab.write(kind, subject.name, 'update', lab.inPlace(subject, observed, stream));
      await expect(sent).rejects.toThrow(Refused);
    }
    if (fate === 'refused' || fate === 'nothing') return;
    await lab.run(plan.steps);
    const after = await lab.read(keys);
    expect(makePlan({ desired: desiredOf(...to), observed: after }).changes).toEqual([]);
    if (kind === 'consumer' || each.messages === false) return;
    if (minor < (each.late ?? 0)) return;
    const messages = (resources: typeof after): number => {
      const live = resources.resources.get(keyOf(subject));
      return live && live.kind !== 'consumer' ? live.figures.messages : -1;
    };
    const want = messages(observed) - (each.deletes ?? 0);
    expect(await settled(async () => messages(await lab.read(keys)), want)).toBe(want);
  });

  test('a sealed stream cannot be opened, and a new one cannot be sealed', async () => {
    const [open, sealed] = ([{}, { sealed: true }] as Record<string, Json>[]).map((more) =>
      resourceOf('stream', 'SEAL', { subjects: ['seal'] }, more),
    );
    const empty = { target: lab.target, resources: new Map() };
    expect(foretold(makePlan({ desired: desiredOf(sealed!), observed: empty }))).toBe('refused');
    await lab.run(makePlan({ desired: desiredOf(open!), observed: empty }).steps);
    for (const each of [sealed!, open!]) {
      const plan = makePlan({ desired: desiredOf(each), observed: await lab.read([keyOf(each)]) });
      expect(foretold(plan)).toBe(each === open ? 'replace' : 'in-place');
      await lab.run(plan.steps);
      expect(makePlan({ desired: desiredOf(each), observed: await lab.read([keyOf(each)]) }).changes).toEqual([]);
    }
  });

  test('a first limit for each subject deletes what is over it, at the next start of the server at the latest', async () => {
    const own = await startServer({ version: line });
    const key = 'stream LATE' as const;
    let bare = await Lab.open(own.url);
    try {
      const [from, to] = ([{}, { max_msgs_per_subject: 4 }] as Record<string, Json>[]).map((more) =>
        resourceOf('stream', 'LATE', { subjects: ['late.*'] }, more),
      );
      await bare.run(makePlan({ desired: desiredOf(from!), observed: await bare.read([]) }).steps);
      await bare.publish('late.a', 15);
      await bare.publish('late.b', 5);
      const observed = await bare.read([key]);
      const losses = await measureLosses(bare.nats, { desired: desiredOf(to!), observed }, new Date());
      const plan = makePlan({ desired: desiredOf(to!), observed, losses });
      expect(lossOf(plan)).toBe(12);
      await bare.run(plan.steps);
      await bare.nc.close();
      await own.kill('SIGTERM');
      await own.restart();
      bare = await Lab.open(own.url);
      const after = (await bare.read([key])).resources.get(key);
      expect(after?.figures).toMatchObject({ messages: 8 });
    } finally {
      await bare.nc.close();
      await own.stop();
    }
  });
});

test('every field of every table has its change in the list', () => {
  const missing = (Object.keys(CASES) as ResourceKind[]).flatMap((kind) =>
    FIELDS[kind]
      .filter(({ name }) => !CASES[kind].some(({ field }) => field === name))
      .map(({ name }) => `${kind} ${name}`),
  );
  expect(missing).toEqual([]);
});
