import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cleanEnv } from '../support/cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
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
      request-worker: { max_deliver: 3 }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses }
`;

needing('nsc').describe('the commands that permissions writes for nsc', () => {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-nsc-'));
  const env = cleanEnv({
    env: {
      HOME: dir,
      XDG_CONFIG_HOME: join(dir, 'config'),
      XDG_DATA_HOME: join(dir, 'data'),
      NKEYS_PATH: join(dir, 'keys'),
    },
  });
  let server: TestServer;
  const shell = (script: string): void => {
    const done = spawnSync('sh', ['-ec', script], { cwd: dir, env, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${script}: ${done.stderr}${done.stdout}`);
  };
  const as = (user: string, ...args: string[]) =>
    runCli(args, { server, cwd: dir, env: { NATS_CREDS: join(dir, `${user}.creds`) } });

  beforeAll(async () => {
    writeFileSync(join(dir, 'spec.yaml'), SPEC);
    writeFileSync(join(dir, 'changed.yaml'), SPEC.replace('discard: new', 'discard: new\n    max_msgs: 5000'));
    shell(`nsc add operator --name O --sys
      nsc add account --name APP
      nsc edit account --name APP --js-mem-storage -1 --js-disk-storage -1 --js-streams -1 --js-consumer -1`);
    for (const role of ['applier', 'viewer', 'client']) {
      const printed = await runCli(['permissions', 'spec.yaml', role, '--format', 'nsc'], { cwd: dir });
      shell(printed.stdout);
    }
    shell('nsc generate config --mem-resolver --config-file resolver.conf');
    server = await startServer({ config: readFileSync(join(dir, 'resolver.conf'), 'utf8') });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('make users who may do the commands of their role, and are refused the others', async () => {
    expect(await as('osapi-applier', 'apply', 'spec.yaml')).toMatchObject({ code: 0 });
    expect(await as('osapi-viewer', 'status', 'spec.yaml')).toMatchObject({ code: 0 });
    expect(await as('osapi-viewer', 'plan', 'spec.yaml', '--detailed-exitcode')).toMatchObject({ code: 0 });
    expect(await as('osapi-viewer', 'apply', 'changed.yaml')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('no permission to publish to $KV.osapi_ops.lock.'),
    });
    expect(await as('osapi-client', 'status', 'spec.yaml')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('no permission to publish to $JS.API.'),
    });
  });
});
