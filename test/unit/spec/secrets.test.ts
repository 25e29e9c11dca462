import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../../../src/lib/ledger/store.ts';
import { loadSpec } from '../../../src/lib/spec/load.ts';
import { printSpec } from '../../../src/lib/spec/print.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-secrets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const QUEUES = 'queues:\n  Q:\n    subjects: ["q.*"]\n';
const load = (text: string, env: Record<string, string> = {}) =>
  loadSpec('-', { cwd: dir, env, readStdin: async () => text });

describe('a secret in a spec', () => {
  // It begins with what YAML takes for a sign of its own, or holds one: nobody thinks of quotes.
  const sign = fc.string({ maxLength: 3, unit: fc.constantFrom(...'!&*|>%@`{}[],#?:-"\'\\~=<$ ') });
  const before = sign.filter((text) => !text.endsWith('${')); // that would be the name of a variable, which is shown
  const raw = fc.tuple(before, fc.constantFrom('hunter2', '7hunter2', 'hun ter2', 'hunter2: x', 'hunter2 #x'), sign);
  const fields = fc.constantFrom('password', 'token', 'creds', 'nkey', 'tls_key', 'servers', 'user', 'pass', 'paswort');
  const forms = fc.constantFrom(
    (field: string, text: string) => `connection:\n  ${field}: ${text}\n`,
    (field: string, text: string) => `connection: {${field}: ${text}}\n`,
    (field: string, text: string) => `connection: {${field} ${text}}\n`,
    (field: string, text: string) => `connection:\n  ${field}: [${text}]\n`,
    (field: string, text: string) => `connection:\n  ${field}:\n    x: ${text}\n`,
    (_: string, text: string) => `connection: ${text}\n`,
  );

  test('is in no problem, however it is written', async () => {
    await fc.assert(
      fc.asyncProperty(raw, fields, forms, async (parts, field, form) => {
        const { problems } = await load(`version: 1\nname: shop\n${form(field, parts.join(''))}${QUEUES}`);
        expect(JSON.stringify(problems.map(({ mend: _, ...shown }) => shown))).not.toMatch(/hun|ter2/);
      }),
      {
        numRuns: 2000,
        examples: [
          [[',&', 'hun ter2', ''], 'password', (field: string, text: string) => `connection: {${field} ${text}}\n`],
        ],
      },
    );
  });

  test('is in none where a variable holds it, wherever that stands', async () => {
    const places = fc.constantFrom(
      'connection: {password: "$X"}',
      'connection: {token: $X}',
      'connection: {servers: ["nats://u:$X@h"]}',
      'connection: {timeout: "$X"}',
      'connection: {tls_first: $X}',
      'extends: $X',
      'extends: ./$X/base.yaml',
      'min_server_version: "$X"',
      'queues: {Q: {subjects: [q], max_age: "$X"}}',
      'queues: {Q: {subjects: [q], retention: "$X"}}',
      'queues: {Q: {subjects: [q], num_replicas: $X}}',
    );
    await fc.assert(
      fc.asyncProperty(
        places,
        fc.constantFrom('hunter2', 'hunter2/x', '../hunter2', '7hunter2s'),
        async (place, secret) => {
          const text = `version: 1\nname: shop\n${place.replace('$X', `\${SECRET}`)}\n`;
          const { problems } = await load(place.startsWith('queues') ? text : text + QUEUES, { SECRET: secret });
          expect(JSON.stringify(problems)).not.toContain('hunter2');
        },
      ),
    );
  });

  test('is not kept with what was applied, nor in a saved plan', async () => {
    const seed = `SU${'AB2C'.repeat(14)}`;
    writeFileSync(join(dir, 'c'), '');
    const values = fc.record(
      {
        user: fc.constant('hunter2'),
        password: fc.constant('hunter2'),
        token: fc.constant('hunter2'),
        creds: fc.constantFrom(
          seed,
          'data:;base64,aHVudGVyMg==',
          '-----BEGIN X-----\nhunter2',
          'nats://hunter2@h',
          './ok',
        ),
        nkey: fc.constantFrom(seed, 'data:;base64,aHVudGVyMg==', 'ok.nk'),
        tls_key: fc.constantFrom('-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----', 'key.pem'),
        servers: fc.constantFrom(
          ['nats://u:hunter2@h'],
          ['nats://u:hunter2/x@h', 'h'],
          ['u:a,hunter2@h'],
          ['nats://hunter2@h:1'],
        ),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(values, async (connection) => {
        const text = `version: 1\nname: shop\nconnection: ${JSON.stringify(connection)}\n${QUEUES}`;
        const { loaded } = await load(text);
        const kept = withoutSecrets(loaded!.spec);
        for (const shown of [JSON.stringify(kept), printSpec(kept)]) expect(shown).not.toMatch(/hunter2|aHVu|SUAB/);
        const { creds, nkey, tls_key: key } = connection;
        expect(kept.connection).toMatchObject({
          ...(creds === './ok' && { creds }),
          ...(nkey === 'ok.nk' && { nkey }),
          ...(key === 'key.pem' && { tls_key: key }),
        });
      }),
    );
  });
});
