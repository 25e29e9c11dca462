import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, put } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    discard: new
    consumers:
      request-worker: { max_deliver: 1, ack_wait: 200ms }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses }
`;
const ROLES = ['viewer', 'applier', 'migrator', 'operator', 'worker', 'client'];

/** The user of a fragment, with a password of this test's. */
const userIn = (fragment: string): string =>
  /users = \[\n([\s\S]*)\n {2}\]/.exec(fragment)![1]!.replace(/\$OSAPI_\w+_PASSWORD/, 'pw');

describe.each(outermostVersions())('a server with exactly these permissions (%s)', (version) => {
  let server: TestServer;
  let admin: Nats;
  let dir: string;
  const as = (role: string, ...args: string[]) =>
    runCli(args, {
      server,
      cwd: dir,
      env: { NATS_USER: role === 'admin' ? role : `osapi-${role}`, NATS_PASSWORD: 'pw' },
    });
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'osapi-ops-permissions-'));
    writeFileSync(join(dir, 'spec.yaml'), SPEC);
    writeFileSync(join(dir, 'changed.yaml'), SPEC.replace('discard: new', 'discard: new\n    max_msgs: 5000'));
    const printed = await Promise.all(ROLES.map((role) => runCli(['permissions', 'spec.yaml', role], { cwd: dir })));
    const users = printed.map(({ stdout }) => userIn(stdout)).join('\n');
    server = await startServer({
      version,
      config: `authorization { users = [\n{ user: admin, password: pw }\n${users}\n] }`,
    });
    admin = await connectTo(server, { user: 'admin', password: 'pw' });
    expect(await as('applier', 'apply', 'spec.yaml')).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await admin?.close();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await admin.api('STREAM.PURGE.REQUESTS');
    await admin.api('STREAM.PURGE.requests_dlq');
  });
  const die = async (count: number) => {
    for (let index = 0; index < count; index++) await put(admin, 'requests.dns', `{"id":"${index}"}`);
    await letDie(admin);
  };

  test('lets an applier apply again, and look', async () => {
    expect(await as('applier', 'apply', 'spec.yaml')).toMatchObject({ code: 0 });
    expect(await as('applier', 'status', 'spec.yaml')).toMatchObject({ code: 0 });
  });

  test('lets a viewer see everything, and denies all else by its subject', async () => {
    await die(1);
    for (const args of [['plan', 'spec.yaml'], ['history'], ['dlq', 'ls'], ['dlq', 'stats'], ['doctor', 'spec.yaml']]) {
      expect({ args, ...(await as('viewer', ...args)) }).toMatchObject({ args, code: 0 });
    }
    expect(await as('viewer', 'status', 'spec.yaml')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('1 dead'),
    });
    for (const args of [
      ['apply', 'changed.yaml'],
      ['dlq', 'replay'],
    ]) {
      const denied = await as('viewer', ...args);
      expect({ args, code: denied.code }).toEqual({ args, code: 77 });
      expect(denied.stderr).toContain('no permission to publish to $KV.osapi_ops.lock.');
    }
  });

  test('tells a viewer the same everywhere, also where another stream takes dead letters that it may not read', async () => {
    // No two streams hold a subject: those of the queue are its own DLQ's.
    const subjects = ['$JS.EVENT.ADVISORY.CONSUMER.OTHER.REQUESTS.*'];
    await admin.api('STREAM.CREATE.by_hand', { name: 'by_hand', subjects, storage: 'memory' });
    try {
      await die(1);
      const listed = await as('viewer', 'dlq', 'ls', '-f', 'spec.yaml', '--json');
      const status = await as('viewer', 'status', 'spec.yaml', '--json');
      expect(JSON.parse(listed.stdout)).toHaveLength(1);
      expect(JSON.parse(status.stdout).queues).toMatchObject([{ dead: 1 }]);
    } finally {
      await admin.api('STREAM.DELETE.by_hand');
    }
  });

  test('tells a viewer that nobody can know how many are dead where some may lie in a stream that it may not read', async () => {
    await admin.api('STREAM.CREATE.pay_DLQ', { name: 'pay_DLQ', subjects: ['a.b.dlq.>'], storage: 'memory' });
    try {
      const empty = await as('viewer', 'status', 'spec.yaml', '--wait', '100ms', '--for', 'dlq-empty');
      expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('how many are dead is not known') });
      await die(1);
      const told = expect.stringContaining('its dead may lie in pay_DLQ too, which cannot be read');
      for (const verb of ['ls', 'stats'])
        expect(await as('viewer', 'dlq', verb, '-f', 'spec.yaml')).toMatchObject({ code: 0, stderr: told });
      const { checks, queues } = JSON.parse((await as('viewer', 'status', 'spec.yaml', '--json')).stdout);
      expect(queues).toMatchObject([{ dead: null, dead_least: 1 }]);
      expect(checks).toContainEqual(expect.objectContaining({ id: 'REQUESTS.dead', status: 'warn', summary: told }));
      const drain = await as('operator', 'queue', 'drain', '-f', 'spec.yaml', '--json');
      expect(JSON.parse(drain.stdout)).toMatchObject({ drained: true, dead: null });
      expect(JSON.parse((await as('admin', 'status', 'spec.yaml', '--json')).stdout).queues).toMatchObject([
        { dead: 1 },
      ]);
    } finally {
      await admin.api('STREAM.DELETE.pay_DLQ');
    }
  });

  test('lets an operator move and remove dead letters and stop the queue, and change no resource', async () => {
    await die(2);
    const replayed = await as('operator', 'dlq', 'replay', '--json');
    expect(replayed).toMatchObject({ code: 0 });
    expect(JSON.parse(replayed.stdout).replayed).toBeGreaterThanOrEqual(2);
    await letDie(admin);
    expect(await as('operator', 'dlq', 'purge', '--yes')).toMatchObject({ code: 0 });
    expect(readdirSync(dir).some((name) => name.endsWith('.ndjson'))).toBe(true);
    expect(await as('operator', 'queue', 'drain', '--wait', '5s')).toMatchObject({ code: 0 });
    if (!version.startsWith('2.10')) {
      expect(await as('operator', 'queue', 'pause')).toMatchObject({ code: 0 });
      expect(await as('operator', 'queue', 'resume')).toMatchObject({ code: 0 });
    }
    const denied = await as('operator', 'apply', 'changed.yaml');
    expect(denied).toMatchObject({ code: 77, stderr: expect.stringContaining('$JS.API.STREAM.UPDATE.REQUESTS') });
  });

  test('lets a client publish and read its response, and nothing else', async () => {
    const client = await connectTo(server, { user: 'osapi-client', password: 'pw' });
    try {
      expect(await put(client, 'requests.dns', '{"id":"c"}')).toBeGreaterThan(0);
      expect(await client.kv('responses').get('c')).toBeUndefined();
      await expect(client.kv('responses').put('c', 'x')).rejects.toMatchObject({
        code: 'DENIED_SUBJECT',
        message: expect.stringContaining('$KV.responses.c'),
      });
    } finally {
      await client.close();
    }
    expect(await as('client', 'status', 'spec.yaml')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('no permission to publish to $JS.API.'),
    });
  });
});
