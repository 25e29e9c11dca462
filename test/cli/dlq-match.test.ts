import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, put } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-match-'));
let server: TestServer;
let nats: Nats;

beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  await makeQueue(nats);
  await put(nats, 'requests.dns', '{"id":"1","kind":"poison"}');
  for (const id of ['2', '3']) await put(nats, 'requests.dns', `{"id":"${id}","kind":"dns"}`);
  await letDie(nats);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(cwd, { recursive: true });
});

const dlq = (...args: string[]) => runCli(['dlq', ...args], { server, cwd });

describe('a filter of every dlq verb', () => {
  test.each([['ls'], ['stats'], ['export'], ['replay', '--dry-run'], ['purge', '--dry-run']])(
    'finds a text of `dlq show` in what is stored without its blanks: %s',
    async (...verb) => {
      const { stdout, stderr, code } = await dlq(...verb, '--match', '"kind": "poison"', '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('match') });
      expect(stdout).toMatch(/"purged": 1\b|REQUESTS\/request-worker\/1"/);
      expect(stdout).not.toContain('REQUESTS/request-worker/2');
    },
  );

  test.each([
    [['ls'], '[]\n'],
    [['ls', '--ndjson'], ''],
    [['stats'], '{\n  "total": 0,\n  "groups": []\n}\n'],
    [['export'], ''],
    [['replay'], /"replayed": 0/],
    [['replay', '--dry-run'], /"groups": \[\]/],
    [['purge', '--yes'], /"purged": 0/],
    [['purge', '--dry-run'], /"purged": 0/],
  ])('that chooses none says of how many, beside the data: %j', async (verb, want) => {
    for (const filter of [
      ['--match', 'nowhere'],
      ['--subject', 'mail.*'],
      ['--consumer', 'other'],
    ]) {
      const { stdout, stderr, code } = await dlq(...verb, ...filter, '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/0 of 3 dead letters match\n/) });
      if (typeof want === 'string') expect(stdout).toBe(want);
      else expect(stdout).toMatch(want);
    }
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('says nothing of the kind without a filter, and in words no more than that', async () => {
    const { stdout, stderr } = await dlq('ls', '--match', 'nowhere');
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '0 of 3 dead letters match\n' });
    expect((await dlq('ls')).stderr).toBe('3 replayable\n');
    expect((await dlq('rebuild', '--dry-run', '--match', 'nowhere')).stderr).not.toContain('match');
  });
});
