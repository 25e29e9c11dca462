import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-validate-'));
afterAll(() => rmSync(cwd, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return name;
}

const GOOD = 'version: 1\nname: shop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n';
const CONSUMER = `{
  "durable_name": "request-worker",
  "ack_policy": "explicit",
  "deliver_policy": "new",
  "filter_subject": "requests.*",
  "replay_policy": "instant",
  "max_deliver": 10,
  "backoff": [5000000000, 10000000000, 15000000000]
}
`;

describe('validate', () => {
  test('says in one calm line that the shipped specs are valid', async () => {
    const { code, stdout, stderr } = await runCli(['validate', 'config/dev.yaml', 'config/prod.yaml']);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'config/dev.yaml, config/prod.yaml: valid, no warnings.\n',
      stderr: '',
    });
  });

  test('says of the original consumer file what the server refuses, offers all, and points to convert', async () => {
    const { code, stdout } = await runCli(['validate', file('consumer.json', CONSUMER)], { cwd });
    expect(code).toBe(65);
    expect(stdout).toBe(`error consumer.json is a consumer configuration of the nats CLI, not a spec
  at consumer.json:1:1
  A spec says what a whole system is: its queues with their consumers, DLQ and responses.
  Try: \`osapi-ops convert consumer.json\` makes a spec of it.
  Code: SPEC_FOREIGN

error consumer request-worker: deliver_policy new on a workqueue stream
  at consumer.json:4:3 (deliver_policy)
  The server refuses every deliver_policy but all on a workqueue stream (err_code 10101): a message nobody takes could never go.
  Try: write deliver_policy: all, or leave it out.
  Code: SPEC_WORKQUEUE_DELIVER_POLICY

2 errors.
`);
  });

  test('tells problems as clean JSON with file, line and column, and exits 65', async () => {
    const { code, stdout } = await runCli(['validate', '-', '--json'], {
      cwd,
      stdin: GOOD.replace('subjects', 'subject'),
    });
    expect(code).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      error: {
        code: 'SPEC_INVALID',
        problems: [{ code: 'SPEC_UNKNOWN_KEY', file: '<stdin>', line: 5, column: 5, hint: 'did you mean subjects?' }],
      },
    });
  });

  test('exits 0 with warnings, and 65 with --strict', async () => {
    const name = file('warned.yaml', `${GOOD}    num_replicas: 2\n`);
    const [lenient, strict] = await Promise.all([
      runCli(['validate', name], { cwd }),
      runCli(['validate', '--strict', name], { cwd }),
    ]);
    expect([lenient.code, strict.code]).toEqual([0, 65]);
    expect(lenient.stdout).toContain('Code: SPEC_REPLICAS_EVEN');
  });

  test('--fix writes the safe mends, also into what is extended, and keeps comments', async () => {
    const base = file('base.yaml', `${GOOD}    retention: workq  # one worker each\n`);
    const name = file('top.yaml', 'extends: ./base.yaml\nqueues:\n  ORDERS:\n    replicas: 3 # a cluster\n');
    const { code, stdout } = await runCli(['validate', '--fix', name], { cwd });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `mended base.yaml:6:16 \`workq\` is called \`workqueue\` here
mended top.yaml:4:5 \`replicas\` is called \`num_replicas\` here
top.yaml: valid, no warnings.
`,
    });
    expect(readFileSync(join(cwd, base), 'utf8')).toBe(`${GOOD}    retention: workqueue  # one worker each\n`);
    expect(readFileSync(join(cwd, name), 'utf8')).toBe(
      'extends: ./base.yaml\nqueues:\n  ORDERS:\n    num_replicas: 3 # a cluster\n',
    );
  });

  test.each([
    { name: 'no spec anywhere', args: [], code: 64, want: 'USAGE_NO_SPEC' },
    { name: '--fix of standard input', args: ['--fix', '-'], code: 64, want: 'USAGE' },
  ])('refuses $name', async ({ args, code, want }) => {
    const empty = mkdtempSync(join(cwd, 'empty-'));
    const result = await runCli(['validate', ...args, '--json'], { cwd: empty, stdin: GOOD });
    expect(result.code).toBe(code);
    expect(JSON.parse(result.stdout).error.code).toBe(want);
  });

  test('finds the spec by OSAPI_OPS_SPEC, and osapi-ops.yaml here', async () => {
    const dir = mkdtempSync(join(cwd, 'here-'));
    writeFileSync(join(dir, 'osapi-ops.yaml'), GOOD);
    const here = await runCli(['validate'], { cwd: dir });
    const named = await runCli(['validate'], { cwd: dir, env: { OSAPI_OPS_SPEC: '../consumer.json' } });
    expect([here.stdout, named.code]).toEqual(['osapi-ops.yaml: valid, no warnings.\n', 65]);
  });
});

describe('schema', () => {
  test('prints the JSON Schema that is shipped', async () => {
    const { code, stdout } = await runCli(['schema'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync('schemas/spec.schema.json', 'utf8'));
  });
});
