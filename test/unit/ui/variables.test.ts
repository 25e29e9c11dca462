import { expect, test } from '@jest/globals';
import { readSurface } from '../../../scripts/generate/surface.ts';
import { isYes, variableOf } from '../../../src/lib/model/variables.ts';

/** The nats CLI's own, and the one that names a spec. */
const OTHERS: Readonly<Record<string, string>> = {
  server: 'NATS_URL',
  context: 'NATS_CONTEXT',
  creds: 'NATS_CREDS',
  nkey: 'NATS_NKEY',
  user: 'NATS_USER',
  password: 'NATS_PASSWORD',
  token: 'NATS_TOKEN',
  timeout: 'NATS_TIMEOUT',
  tlscert: 'NATS_CERT',
  tlskey: 'NATS_KEY',
  tlsca: 'NATS_CA',
  file: 'OSAPI_OPS_SPEC',
};

test('every flag of every command has its variable, by the one rule or as the nats CLI has it', async () => {
  const surface = await readSurface();
  // `dev --context` writes a context, and chooses none.
  const want = (id: string, name: string) => (id === 'dev' ? undefined : OTHERS[name]) ?? variableOf(name);
  const astray = surface.flatMap(({ id, flags }) =>
    Object.entries(flags)
      .filter(([name, { env }]) => env !== want(id, name))
      .map(([name, { env }]) => `${id} --${name}: ${env}`),
  );
  expect(astray).toEqual([]);
  expect(surface.length).toBeGreaterThan(30);
});

test('a variable says yes in the words that flags understand', () => {
  expect(['1', 'true', 'YES', 'y', '0', 'false', '', undefined].map((value) => isYes(value))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
