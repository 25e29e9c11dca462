import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Config } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, put } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
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
    max_age: 7d
    consumers:
      request-worker: { max_deliver: 1, ack_wait: 300ms }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses }
`;
const ROLES = ['viewer', 'applier', 'operator', 'worker', 'client'] as const;
type Role = (typeof ROLES)[number];

/** The lines between two of a printed fragment. */
const part = (text: string, from: string, to: string): string[] => {
  const lines = text.split('\n');
  const start = lines.indexOf(from);
  return lines.slice(start + 1, lines.indexOf(to, start));
};
const published = (text: string): string[] =>
  part(text, '          publish: { allow: [', '          ] }').map((line) => JSON.parse(line.trim()) as string);

for (const version of ['2.10', '2.15']) {
  needing(`nats-server ${version}`).describe(`the roles as accounts of their own (${version})`, () => {
    let server: TestServer;
    let admin: Nats;
    const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-accounts-'));
    const printed = new Map<Role, string>();
    const as = (role: Role, ...args: string[]) =>
      runCli(args, { server, cwd: dir, env: { NATS_USER: `osapi-${role}`, NATS_PASSWORD: 'pw' } });
    beforeAll(async () => {
      writeFileSync(join(dir, 'spec.yaml'), SPEC);
      for (const role of ROLES) {
        const { stdout } = await runCli(['permissions', 'spec.yaml', role, '--format', 'server-account'], { cwd: dir });
        printed.set(role, stdout.replace(/\$OSAPI_\w+_PASSWORD/, 'pw'));
      }
      const exported = new Set([...printed.values()].flatMap((text) => part(text, '    exports = [', '    ]')));
      const own = [...printed].flatMap(([role, text]) => part(text, '  }', '}').concat(`# ${role}`));
      // One user in the account of the streams, with what the viewer has: what a single account cannot keep out.
      const inside = published(printed.get('viewer')!).map((subject) => JSON.stringify(subject));
      const config = [
        'accounts {',
        'OSAPI: { jetstream: enabled, users: [',
        '{ user: admin, password: pw }',
        `{ user: inside, password: pw, permissions: { publish: { allow: [${inside.join(', ')}] }, subscribe: "_INBOX.>" } }`,
        `], exports: [\n${[...exported].join('\n')}\n] }`,
        ...own,
        'SYS: { users: [{ user: sys, password: pw }] }',
        '}',
        'system_account: SYS',
      ];
      server = await startServer({ version, config: `${config.join('\n')}\n` });
      admin = await connectTo(server, { user: 'admin', password: 'pw' });
      const applied = await runCli(['apply', 'spec.yaml'], {
        server,
        cwd: dir,
        env: { NATS_USER: 'admin', NATS_PASSWORD: 'pw' },
      });
      expect(applied).toMatchObject({ code: 0 });
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

    test('let their own command lines work', async () => {
      for (const args of [
        ['status', 'spec.yaml'],
        ['plan', 'spec.yaml'],
        ['history'],
        ['dlq', 'ls', '-f', 'spec.yaml'],
      ]) {
        expect({ args, ...(await as('viewer', ...args)) }).toMatchObject({ args, code: 0 });
      }
      expect(await as('applier', 'apply', 'spec.yaml')).toMatchObject({ code: 0 });
      expect(
        await as('client', 'request', 'send', 'dns', '{"query":"x"}', '--id', 'a1', '-f', 'spec.yaml'),
      ).toMatchObject({
        code: 0,
      });
      const worker = startCli(['worker', 'run', 'spec.yaml', '--builtin', 'echo'], {
        server,
        cwd: dir,
        env: { NATS_USER: 'osapi-worker', NATS_PASSWORD: 'pw' },
      });
      await until(async () => (await admin.kv('responses').get('a1')) !== undefined, 'a1 has its answer');
      worker.child.kill('SIGTERM');
      expect(await worker.done).toMatchObject({ code: 0 });
      expect(await admin.kv('responses').get('a1')).toBeDefined();
      await put(admin, 'requests.dns', '{"id":"d1"}');
      await letDie(admin);
      expect(await as('operator', 'dlq', 'replay', '-f', 'spec.yaml')).toMatchObject({
        code: 0,
        stdout: 'Replayed 1 dead letter.\n',
      });
    });

    /** Has the answers of everything that this user may ask sent to what deletes a stream. */
    async function aimEverything(user: string, subjects: readonly string[]): Promise<boolean> {
      await admin.api('STREAM.CREATE.VICTIM', { name: 'VICTIM', subjects: ['victim'], storage: 'memory' });
      const attacker = await connectTo(server, { user, password: 'pw' });
      const bodies = ['', '{"seq":999999}', '{"batch":1,"no_wait":true}', '{"id":"x"}'];
      for (const subject of subjects) {
        const concrete = subject.replace(/[*>]/g, 'none');
        for (const body of bodies) attacker.nc.publish(concrete, body, { reply: '$JS.API.STREAM.DELETE.VICTIM' });
      }
      await attacker.nc.flush();
      // Answers that go elsewhere are seen by nobody here: nothing tells when the last was sent.
      await sleep(500);
      await attacker.close();
      const { streams } = await admin.api('STREAM.NAMES', { subject: 'victim' });
      const isThere = Array.isArray(streams) && streams.includes('VICTIM');
      if (isThere) await admin.api('STREAM.DELETE.VICTIM');
      return !isThere;
    }
    /** What asks, and changes nothing else of the system. */
    const asking = (role: Role): string[] =>
      published(printed.get(role)!).filter((subject) => /GET|NEXT|INFO|NAMES|LIST|requests/.test(subject));

    test.each(ROLES)('keep an answer that a %s aims at $JS.API.STREAM.DELETE out of the streams', async (role) => {
      expect(asking(role).length).toBeGreaterThan(1);
      expect(await aimEverything(`osapi-${role}`, asking(role))).toBe(false);
    });

    test('say that no account keeps an applier from what a stream can send', async () => {
      await admin.api('STREAM.CREATE.VICTIM', { name: 'VICTIM', subjects: ['victim'], storage: 'memory' });
      const { config } = await admin.api('STREAM.INFO.REQUESTS');
      const holder = await connectTo(server, { user: 'osapi-applier', password: 'pw' });
      const republish = { src: 'requests.*', dest: '$JS.API.STREAM.DELETE.{{wildcard(1)}}' };
      await holder.api('STREAM.UPDATE.REQUESTS', { ...(config as Config), republish });
      await holder.close();
      await put(admin, 'requests.VICTIM', '');
      const isGone = async () => (await admin.api('STREAM.NAMES', { subject: 'victim' })).streams === null;
      await until(isGone, 'the server carried it out');
      await admin.api('STREAM.UPDATE.REQUESTS', config as Config);
      expect(printed.get('applier')).toContain('# This is no fence against whoever holds it');
    });

    test('unlike the same permissions in the account of the streams, as what is printed for it says', async () => {
      expect(await aimEverything('inside', asking('viewer'))).toBe(true);
      const { stdout } = await runCli(['permissions', 'spec.yaml', 'viewer'], { cwd: dir });
      expect(stdout).toContain('# In one account with the streams this is no fence');
    });
  });
}
