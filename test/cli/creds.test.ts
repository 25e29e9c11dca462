import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { makeOperator } from '../support/jwt.ts';
import { startServer, type TestServer } from '../support/server.ts';

const { config, account, creds } = makeOperator({ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 });

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ config });
});
afterAll(() => server?.stop());

test.each([
  { name: 'a file', NATS_CREDS: 'ci.creds' },
  { name: 'a variable, as the secret of a CI system', NATS_CREDS: 'env://SECRET', SECRET: creds },
  { name: 'a variable that lost its last line break', NATS_CREDS: 'env://SECRET', SECRET: creds.trimEnd() },
])('credentials are taken from $name', async ({ name: _, ...env }) => {
  const file = join(server.dir, 'ci.creds');
  writeFileSync(file, creds);
  const { code, stdout, stderr } = await runCli(['status'], { server, cwd: server.dir, env });
  rmSync(file);
  // There is nothing to judge in an empty account.
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(stdout).toContain(account);
});

test('credentials of another account are refused with 77', async () => {
  const env = { NATS_CREDS: 'env://SECRET', SECRET: makeOperator({}).creds };
  const { code, stderr } = await runCli(['status'], { server, env });
  expect(code).toBe(77);
  expect(stderr).toContain('Code: DENIED_CREDENTIALS');
});
