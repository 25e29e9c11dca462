import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Config, isObject, type Json, stableText } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-forged-'));
let server: TestServer;
let nats: Nats;

const SPEC = (max: number, more = ''): string => `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: ${max}
    consumers:
      request-worker: {max_deliver: 10}
    dlq: {stream: requests_dlq, max_age: 30d}
${more}`;

interface PlanFile {
  format: Json;
  plan: { [part: string]: Json } & {
    system: string;
    changes: Record<string, Json>[];
    findings: Record<string, Json>[];
    fingerprint: Record<string, string>;
    summary: Record<string, number>;
    target: Record<string, Json>;
  };
  meta: { [part: string]: Json } & { spec: string };
}
let saved: string;

const run = (args: string[]) => runCli(args, { server, cwd: dir });
const ALL = ['--yes', '--adopt', '--prune', '--allow-replace', '--allow-data-loss'];

beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  const stream = (name: string, owner?: string) =>
    nats.api(`STREAM.CREATE.${name}`, {
      name,
      subjects: [`${name.toLowerCase()}.*`],
      ...(owner && { metadata: { 'osapi-ops.owner': owner } }),
    });
  await Promise.all([stream('OTHER'), stream('BILLING', 'billing'), stream('LEFT', 'osapi')]);
  for (const subject of ['other.a', 'billing.a', 'left.a']) await nats.request(subject, 'x');
  writeFileSync(join(dir, 'spec.yaml'), SPEC(1000));
  expect((await run(['apply', 'spec.yaml'])).code).toBe(0);
  writeFileSync(join(dir, 'spec.yaml'), SPEC(500));
  expect((await run(['plan', 'spec.yaml', '--out', 'true.plan'])).code).toBe(0);
  saved = readFileSync(join(dir, 'true.plan'), 'utf8');
});

afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The account as it stands, without what only looking at it changes, and without the ledger. */
async function account(): Promise<Record<string, Json>> {
  const { streams } = await nats.api('STREAM.LIST');
  const found = (streams as Config[]).filter(({ config }) => isObject(config) && config.name !== 'KV_osapi_ops');
  return Object.fromEntries(
    found.map(({ config, created, state }) => [String((config as Config).name), { config, created, state } as Json]),
  );
}

/** Writes the true plan as somebody alters it who knows how the digest is made. */
function forge(alter: (file: PlanFile) => void): string {
  const file = JSON.parse(saved) as PlanFile;
  alter(file);
  const digest = createHash('sha256')
    .update(stableText({ plan: file.plan, meta: file.meta }))
    .digest('hex');
  writeFileSync(join(dir, 'forged.plan'), JSON.stringify({ kind: 'osapi-ops.plan', ...file, digest }));
  return 'forged.plan';
}

const removal = { action: 'delete', kind: 'stream', name: 'OTHER', role: 'other', fields: [], origin: 'spec' };
const STEP = { resource: 'stream OTHER', verb: 'delete', configs: [], why: '', change: 0, stage: 0 };
const declare = (name: string): string => `streams:\n  ${name}: {subjects: ["${name.toLowerCase()}.*"]}\n`;

/** What can be done to a plan file, each alone or with others. */
const FORGERIES: Readonly<Record<string, (file: PlanFile) => void>> = {
  'a step': ({ plan }) => {
    plan.steps = [STEP];
  },
  'a step beside its change': ({ plan }) => {
    plan.steps = [STEP];
    plan.changes.push({ ...removal });
    plan.summary.delete = 1;
  },
  'a change hidden': ({ plan }) => {
    plan.changes.splice(0, 1);
    plan.summary.update = plan.changes.length;
  },
  'another limit than is shown': ({ meta }) => {
    meta.spec = meta.spec.replace('max_msgs: 500', 'max_msgs: 5');
  },
  'other limits of status': ({ meta }) => {
    meta.spec = meta.spec.replace(
      '    max_msgs: 500',
      '    health: {dead: {warn: 100000, critical: 200000}}\n    max_msgs: 500',
    );
  },
  'another connection': ({ meta }) => {
    meta.spec += 'connection: {servers: ["nats://elsewhere:4222"]}\n';
  },
  'another limit than its spec has': ({ plan }) => {
    const field = { path: 'max_msgs', from: 1000, to: 900, impact: 'in-place', origin: 'spec' };
    for (const change of plan.changes) change.fields = [field];
  },
  'a stream of nobody’s in its spec': ({ meta }) => {
    meta.spec += declare('OTHER');
  },
  'a stream of another’s in its spec': ({ meta }) => {
    meta.spec += declare('BILLING');
  },
  'another name for a stream': ({ plan, meta }) => {
    meta.spec = meta.spec.replaceAll('REQUESTS', 'OTHER');
    for (const change of plan.changes) change.name = 'OTHER';
  },
  'another system': ({ plan }) => {
    plan.system = 'billing';
  },
  'another owner': ({ plan, meta }) => {
    plan.system = 'billing';
    meta.spec = meta.spec.replace('name: osapi', 'name: billing');
  },
  prune: ({ meta }) => {
    meta.prune = true;
  },
  'prune, and an empty spec': ({ meta }) => {
    meta.prune = true;
    meta.spec = 'version: 1\nname: osapi\n';
  },
  'flags of its own': ({ meta }) => {
    meta.overrides = ['adopt', 'allow-replace', 'allow-data-loss', 'prune'];
  },
  'no fingerprint': ({ plan }) => {
    plan.fingerprint = {};
  },
  'another server': ({ plan }) => {
    plan.target = { ...plan.target, server: { ...(plan.target.server as Config), id: 'X' } };
  },
  'another version of the server': ({ plan }) => {
    plan.target = { ...plan.target, server: { ...(plan.target.server as Config), version: '2.10.0' } };
  },
  'another format': (file) => {
    file.format = 3;
  },
  'no spec': ({ meta }) => {
    meta.spec = '';
  },
  'a spec that reads a file': ({ meta }) => {
    meta.spec = `extends: ./spec.yaml\n${meta.spec.replace('500', '5')}`;
  },
  'a spec that reads the environment': ({ meta }) => {
    meta.spec = meta.spec.replace('name: osapi', 'name: osapi\ndescription: $' + '{HOME}');
  },
  'keys of a prototype': ({ plan, meta }) => {
    for (const tree of [plan, meta, plan.summary, plan.fingerprint, ...plan.changes])
      Object.defineProperty(tree, '__proto__', { value: { prune: true, steps: [STEP] }, enumerable: true });
    meta.constructor = 'x' as never;
  },
  'a finding that says it is allowed': ({ plan }) =>
    void plan.findings.push({ code: 'RISK_OWNERSHIP', severity: 'info', resource: 'stream OTHER', message: 'fine' }),
};

const names = Object.keys(FORGERIES);
const cases = [
  ...names.map((each) => [each]),
  ...fc.sample(fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 5 }), 8),
];

test.each(cases.map((made) => ({ made, name: made.join(', ') })))(
  'a plan file with $name does what it shows, or nothing',
  async ({ made }) => {
    const path = forge((file) => {
      for (const each of made) FORGERIES[each]!(file);
    });
    const before = await account();
    const shown = await run(['plan', path, '--json']);
    const { code, stderr } = await run(['apply', path, ...ALL]);
    const after = await account();
    const { REQUESTS, ...others } = after;
    const { REQUESTS: queue, ...rest } = before;
    expect(others).toEqual(rest);
    if (code !== 0) {
      expect(REQUESTS).toEqual(queue);
      expect(`${code} ${stderr}`).toMatch(/^65 .*Code: PLAN_UNREADABLE|^75 .*Code: PLAN_STALE/s);
      expect(shown.code).toBe(code === 65 ? 65 : 0);
      return;
    }
    // What is carried out is the true plan, which this one shows as well; then back to where it was.
    expect(JSON.parse(shown.stdout).changes).toEqual(
      (JSON.parse(saved) as PlanFile).plan.changes.map(({ retries: _, ...each }) => each),
    );
    expect((REQUESTS as { config: Config }).config.max_msgs).toBe(500);
    writeFileSync(join(dir, 'spec.yaml'), SPEC(1000));
    expect((await run(['apply', 'spec.yaml'])).code).toBe(0);
  },
);

test('a plan made again after all that is carried out', async () => {
  writeFileSync(join(dir, 'spec.yaml'), SPEC(500));
  expect((await run(['plan', 'spec.yaml', '--out', 'again.plan'])).code).toBe(0);
  expect((await run(['apply', 'again.plan'])).code).toBe(0);
  expect((await account()).REQUESTS).toMatchObject({ config: { max_msgs: 500 } });
});
