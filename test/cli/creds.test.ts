import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nkeys } from '@nats-io/transport-node';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

type KeyPair = ReturnType<typeof nkeys.createUser>;
const text = new TextDecoder();
const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url');

/** A JWT of NATS: claims signed by a key pair, named by their own hash. */
function sign(claims: { sub: string; name: string; nats: object }, issuer: KeyPair): string {
  const draft = { ...claims, iss: issuer.getPublicKey(), iat: Math.floor(Date.now() / 1000), jti: '' };
  const jti = createHash('sha256').update(JSON.stringify(draft)).digest('base64url');
  const body = `${base64('{"typ":"JWT","alg":"ed25519-nkey"}')}.${base64(JSON.stringify({ ...draft, jti }))}`;
  return `${body}.${base64(issuer.sign(Buffer.from(body)))}`;
}

const operator = nkeys.createOperator();
const account = nkeys.createAccount();
const system = nkeys.createAccount();
const user = nkeys.createUser();
const unlimited = { subs: -1, data: -1, payload: -1 };
const accountLimits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const accountJwtOf = (pair: KeyPair, limits: object): string =>
  sign({ sub: pair.getPublicKey(), name: 'OSAPI', nats: { type: 'account', version: 2, limits } }, operator);
const operatorClaims = { type: 'operator', version: 2, system_account: system.getPublicKey() };
const operatorJwt = sign({ sub: operator.getPublicKey(), name: 'O', nats: operatorClaims }, operator);
const userJwt = sign(
  { sub: user.getPublicKey(), name: 'ci', nats: { type: 'user', version: 2, ...unlimited } },
  account,
);
const creds = `-----BEGIN NATS USER JWT-----
${userJwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${text.decode(user.getSeed())}
------END USER NKEY SEED------
`;

let server: TestServer;
beforeAll(async () => {
  const config = `operator: ${operatorJwt}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${accountJwtOf(account, { ...accountLimits, ...storage })}
  ${system.getPublicKey()}: ${accountJwtOf(system, accountLimits)}
}
`;
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
  expect(stdout).toContain(account.getPublicKey());
});

test('credentials of another account are refused with 77', async () => {
  const other = sign(
    { sub: user.getPublicKey(), name: 'x', nats: { type: 'user', version: 2 } },
    nkeys.createAccount(),
  );
  const env = { NATS_CREDS: 'env://SECRET', SECRET: creds.replace(userJwt, other) };
  const { code, stderr } = await runCli(['status'], { server, env });
  expect(code).toBe(77);
  expect(stderr).toContain('Code: DENIED_CREDENTIALS');
});
