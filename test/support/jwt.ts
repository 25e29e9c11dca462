import { createHash } from 'node:crypto';
import { nkeys } from '@nats-io/transport-node';

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

const unlimited = { subs: -1, data: -1, payload: -1 };
const accountLimits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };

/** An operator with one account of these limits of JetStream: a server's configuration, and a user's credentials. */
export function makeOperator(jetstream: object): { config: string; account: string; creds: string } {
  const [operator, account, system, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const accountJwtOf = (pair: KeyPair, limits: object): string =>
    sign({ sub: pair.getPublicKey(), name: 'OSAPI', nats: { type: 'account', version: 2, limits } }, operator);
  const claims = { type: 'operator', version: 2, system_account: system.getPublicKey() };
  const operatorJwt = sign({ sub: operator.getPublicKey(), name: 'O', nats: claims }, operator);
  const userJwt = sign(
    { sub: user.getPublicKey(), name: 'ci', nats: { type: 'user', version: 2, ...unlimited } },
    account,
  );
  return {
    config: `operator: ${operatorJwt}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${accountJwtOf(account, { ...accountLimits, ...jetstream })}
  ${system.getPublicKey()}: ${accountJwtOf(system, accountLimits)}
}
`,
    account: account.getPublicKey(),
    creds: `-----BEGIN NATS USER JWT-----
${userJwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${text.decode(user.getSeed())}
------END USER NKEY SEED------
`,
  };
}
