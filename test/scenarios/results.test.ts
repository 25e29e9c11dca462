import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020.js';
import { errorSchema, RESULTS, resultSchema } from '../../scripts/generate/result-files.ts';
import { openStage, REQUEST_ID, type Stage } from '../support/example-stage.ts';
import { warmCli } from '../support/warm-cli.ts';
import { warmProgram } from '../support/warm-program.ts';

const ajv = new Ajv.default({ allErrors: true, strict: false });
const seen = new Set<string>();
const program = warmProgram();
let stage: Stage;

beforeEach(async () => {
  stage = await openStage(program);
});
afterEach(() => stage.end());
afterAll(() => {
  expect(Object.keys(RESULTS).filter((command) => !seen.has(command))).toEqual([]);
});

const warm = warmCli();
/** The words of a line, as a shell takes them apart. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, ...parts]) => parts.find((part) => part !== undefined)!);

/** Runs a command with --json; stdout is held to the schema without any key that the schema does not name. */
async function run(command: string, args = '', code = 0): Promise<Record<string, never>> {
  const line = `${command} ${args} --json`;
  // What starts servers stays a process of its own.
  const isApart = /^(dev|demo)\b/.test(command);
  const at = { server: stage.server, cwd: stage.dir };
  const done = await (isApart ? stage.shell(`osapi-ops ${line}`) : warm(wordsOf(line), at));
  expect({ command, args, stderr: done.stderr, code: done.code }).toMatchObject({ code });
  const result = JSON.parse(done.stdout) as Record<string, never>;
  judge(command, args, result);
  return result;
}

function judge(command: string, args: string, result: Record<string, never>): void {
  const wanted = 'error' in result ? errorSchema(true) : resultSchema(command, true);
  const isValid = ajv.validate(wanted, result);
  expect({ command, args, faults: isValid ? [] : ajv.errors, result }).toMatchObject({ faults: [] });
  if (!('error' in result)) seen.add(command);
}

describe('what --json prints is what schemas/results says', () => {
  test('of the life of a system', async () => {
    await run(
      'init',
      'fresh --yes --name shop --queue ORDERS --subjects "orders.>" --dlq orders_dlq --responses order_responses',
    );
    await run('schema');
    await run('autocomplete', 'fish');
    await run('validate', 'config/dev.yaml config/prod.yaml');
    await run('permissions', 'config/prod.yaml operator');
    expect(await run('plan', 'config/prod.yaml')).toMatchObject({ summary: { create: 4 } });
    expect(await run('apply', 'config/prod.yaml')).toMatchObject({ applied: true });
    expect(await run('plan', 'config/prod.yaml fresh/osapi-ops.yaml')).toHaveLength(2);
    expect(await run('apply', 'config/prod.yaml --dry-run')).toMatchObject({ applied: false });
    await stage.must('osapi-ops export > live.yaml');
    await run('export');
    stage.write('stream.json', JSON.stringify(await (await stage.nats()).api('STREAM.INFO.REQUESTS')));
    stage.write('bad.json', '{"name": "OTHER", "subjects": ["other"], "retention": "workqueue", "colour": "red"}');
    await run('convert', 'stream.json bad.json');
    await run('doctor', 'config/prod.yaml');
    await run('monitoring alerts', 'config/prod.yaml');
    await run('monitoring grafana');
    await run('explain', 'max_age');
    await run('explain', 'queues');
    await run('history');
  });

  test('of requests, queues and workers', async () => {
    await run('apply', 'config/prod.yaml');
    await run('request send', `dns '{"query":"example.com"}' --id ${REQUEST_ID}`);
    expect(await run('request ls')).toHaveLength(1);
    await run('request get', REQUEST_ID, 2);
    await run('request show', REQUEST_ID);
    await run('worker run', '--builtin echo --max 1');
    expect(await run('request get', REQUEST_ID)).toMatchObject({ state: 'answered' });
    expect(await run('request show', REQUEST_ID)).toMatchObject({ state: 'answered' });
    stage.write('requests.ndjson', '{"id":"one"}\n{"id":"two"}\n');
    await run('request send', 'dns --ndjson --input requests.ndjson');
    await run('request cancel', 'one two --yes');
    expect(await run('queue pause', 'REQUESTS --for 1h')).toMatchObject([{ paused: true }]);
    await run('queue resume', 'REQUESTS');
    await run('queue drain', 'REQUESTS');
  });

  test('of dead letters', async () => {
    await run('apply', 'config/prod.yaml');
    const watch = stage.start('osapi-ops dlq watch --limit 1 --json');
    await watch.until('stderr', /watching/);
    await stage.kill(3);
    judge('dlq watch', '', JSON.parse((await watch.done).stdout) as Record<string, never>);
    expect(await run('dlq ls')).toHaveLength(3);
    const [entry] = (await run('dlq ls')) as unknown as { id: string }[];
    await run('dlq show', entry!.id);
    await run('dlq stats', '--by subject,json:.error.code');
    expect(await run('status', '', 2)).toMatchObject({ health: 'warn' });
    await run('dlq rebuild');
    await run('dlq export', '--out dead.ndjson');
    expect(await run('dlq replay', '--dry-run')).toMatchObject({ dry_run: true });
    await run('dlq replay', `--limit 1`);
    const [{ id }] = (await run('dlq replays ls')) as unknown as [{ id: string }];
    await run('dlq replays show', id);
    await run('dlq replays stop', id);
    await run('dlq purge', '--dry-run');
    expect(await run('dlq purge', '--archive old.ndjson --yes')).toMatchObject({ purged: 2 });
    await run('dlq import', 'old.ndjson --dry-run');
    expect(await run('dlq import', 'old.ndjson')).toMatchObject({ imported: 2 });
  });

  test('of drift and of destroying', async () => {
    await run('apply', 'config/prod.yaml');
    await stage.must(`sed -i 's/max_msgs: 100000/max_msgs: 90000/' config/base.yaml`);
    expect(await run('plan', 'config/prod.yaml')).toMatchObject({ summary: { update: 1 } });
    await run('destroy', 'config/prod.yaml --dry-run');
    expect(await run('destroy', 'config/prod.yaml --yes')).toMatchObject({ applied: true });
  });

  test('of a development server and the tour', async () => {
    await run('dev status', '', 1);
    await run('dev', '--detach');
    expect(await run('dev status')).toMatchObject({ running: true });
    expect(await run('dev stop')).toMatchObject({ stopped: true });
    await run('demo');
  });

  test('of the console, as soon as it is there', async () => {
    const console = stage.start('osapi-ops console --port 0 --json');
    await console.until('stdout', /\}\n/);
    console.child.kill('SIGTERM');
    judge('console', '', JSON.parse((await console.done).stdout) as Record<string, never>);
  });

  test('of failures of every kind, on stdout as well', async () => {
    await run('plan', '--no-such-flag', 64);
    await run('plan', 'no-such-file.yaml', 65);
    await run('plan', 'config/prod.yaml --server nats://127.0.0.1:1 --timeout 1s', 69);
    stage.write('wrong.yaml', 'version: 1\nname: osapi\nqueues:\n  REQUESTS: { max_msgs: many }\n');
    expect(await run('validate', 'wrong.yaml', 65)).toMatchObject({ valid: false, error: { code: 'SPEC_INVALID' } });
    await run('apply', 'config/prod.yaml');
    await stage.must('osapi-ops request send dns --id a "{}"');
    await stage.must(`sed -i 's/storage: file/storage: memory/' config/base.yaml`);
    expect(await run('apply', 'config/prod.yaml', 1)).toMatchObject({
      applied: false,
      error: { code: 'RISK_REFUSED' },
    });
    await run('dlq show', 'REQUESTS/request-worker/999', 1);
    await run('request get', 'nobody', 1);
  });
});
