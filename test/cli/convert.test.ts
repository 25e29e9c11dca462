import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-convert-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const write = (name: string, value: unknown): string => {
  writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
};
const convert = (args: readonly string[], stdin?: string) =>
  runCli(['convert', ...args], { cwd: dir, ...(stdin === undefined ? {} : { stdin }) });

const stream = { name: 'REQUESTS', subjects: ['requests.*'], retention: 'workqueue', discard: 'new', max_msgs: 10 };
const worker = { durable_name: 'w', ack_policy: 'explicit', max_deliver: 3, max_ack_pending: 5000 };

describe('convert', () => {
  test('prints a spec that validate takes as it is', async () => {
    const { code, stdout, stderr } = await convert([write('s.json', stream), write('c.json', worker)]);
    expect({ code, stderr: stderr.includes('left out') }).toEqual({ code: 0, stderr: false });
    expect(stdout).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=./spec.schema.json
      # Converted by osapi-ops from s.json, c.json.
      version: 1
      name: requests
      queues:
        REQUESTS:
          subjects: ["requests.*"]
          max_msgs: 10
          discard: new
          allow_direct: false
          consumers:
            w:
              max_deliver: 3
              max_ack_pending: 5000
      "
    `);
    expect((await runCli(['validate', '-'], { stdin: stdout })).code).toBe(0);
  });

  test('reads standard input, and names the system as told', async () => {
    const { stdout } = await convert(['-', '--name', 'billing'], JSON.stringify(stream));
    expect(stdout).toContain('\nname: billing\n');
  });

  test.each<{ name: string; args: string[]; owners: (string | undefined)[]; told: string | undefined }>([
    {
      name: 'no mark',
      args: [],
      owners: [undefined],
      told: 'the name requests is a guess, for there is no owner mark',
    },
    { name: 'two marks', args: [], owners: ['a', 'b'], told: 'a guess, for there are several owner marks (a, b)' },
    { name: 'one mark', args: [], owners: ['a', 'a'], told: undefined },
    { name: 'two marks, and a name given', args: ['--name', 'c'], owners: ['a', 'b'], told: undefined },
  ])('says where the name is a guess: $name', async ({ args, owners, told }) => {
    const manifests = owners.map((owner, index) => ({
      apiVersion: 'jetstream.nats.io/v1beta2',
      kind: 'Stream',
      metadata: { name: `s${index}` },
      spec: {
        name: index === 0 ? 'REQUESTS' : 'OTHER',
        subjects: [`s${index}.*`],
        ...(owner && { metadata: { 'osapi-ops.owner': owner } }),
      },
    }));
    const { code, stderr } = await convert([...args, '-'], manifests.map((one) => JSON.stringify(one)).join('\n---\n'));
    expect(code).toBe(0);
    if (told === undefined) expect(stderr).not.toContain('a guess');
    else expect(stderr).toContain(told);
    expect(stderr.includes('--adopt')).toBe(told !== undefined);
  });

  test('takes a configuration without a name by --stream', async () => {
    const { name: _, ...nameless } = stream;
    const { code, stdout } = await convert(['-', '--stream', 'REQUESTS'], JSON.stringify(nameless));
    expect({ code, text: stdout }).toEqual({ code: 0, text: expect.stringContaining('\n  REQUESTS:\n') });
  });

  test('names on stderr what has no place, and under --json in the result', async () => {
    const file = write('odd.json', { ...stream, colour: 'red' });
    const { code, stdout, stderr } = await convert([file, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      spec: { name: 'requests', queues: { REQUESTS: { max_msgs: 10 } } },
      left_out: [{ file: 'odd.json', path: 'colour', why: expect.any(String) }],
    });
    expect(stderr).toContain('Warning: left out: odd.json, colour: ');
  });

  test('says of a consumer that no server takes why, prints it all the same, and exits 65', async () => {
    const { code, stdout, stderr } = await convert([
      write('s.json', stream),
      write('new.json', { ...worker, deliver_policy: 'new' }),
    ]);
    expect(code).toBe(65);
    expect(stdout).toContain('deliver_policy: new');
    expect(stderr).toContain('10101');
  });

  test.each([
    {
      name: 'a missing file',
      args: ['nowhere.json'],
      code: 64,
      says: 'cannot read nowhere.json: no such file or directory (ENOENT)',
    },
    { name: 'a directory', args: ['.'], code: 64, says: 'it is a directory' },
    { name: 'no file at all', args: [], code: 64, says: 'file' },
  ])('refuses $name', async ({ args, code, says }) => {
    const result = await convert(args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(says);
  });

  test('of nothing it knows explains each file, and exits 65', async () => {
    const { code, stdout, stderr } = await convert([write('c.json', worker), write('junk', '\0'), '--json']);
    expect(code).toBe(65);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'SPEC_UNREADABLE',
      problems: [{ file: 'c.json' }, { file: 'junk' }],
    });
    expect(stderr).toContain('its stream is not among the files');
  });

  test('shows hostile names without obeying them', async () => {
    const { stdout, stderr } = await convert([
      write('evil.json', { ...stream, '\u001b[2Jx': 1, description: '\u001b[31m' }),
    ]);
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
  });
});
