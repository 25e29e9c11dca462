import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { ROOT, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { ask, startConsole, type TestConsole } from '../support/console.ts';
import { letDie, makeDead, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: TestServer;
let nats: Nats;
let dir: string;
let page: TestConsole;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-console-'));
  server = await startServer();
  nats = await connectTo(server);
  page = await startConsole([], { server, cwd: dir });
});
afterAll(async () => {
  await page.stop();
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => wipe(nats));

const cli = async (...args: string[]) => {
  const { stdout } = await runCli([...args, '--json'], { server, cwd: dir });
  return JSON.parse(stdout);
};

/** Whether a result is as the schema of its command says. */
function isOf(command: string, result: unknown): void {
  const schema = JSON.parse(readFileSync(join(ROOT, 'schemas', 'results', `${command}.json`), 'utf8'));
  const validate = new Ajv2020({ strict: false }).compile(schema);
  expect([validate(result), validate.errors ?? []]).toEqual([true, []]);
}

/** Dead letters of two kinds, and one that a worker says something of. */
async function someDead(count = 6): Promise<void> {
  await makeQueue(nats, { subjects: ['requests.*'] });
  await makeDead(nats, count);
  await put(nats, 'requests.mail', JSON.stringify({ id: 'm1', to: 'a@example.com' }));
  await letDie(nats);
}

const plan = async (body: object) => {
  const { status, json } = await page.post('/api/plans', { verb: 'replay', filters: {}, options: {}, ...body });
  if (status !== 200) throw new Error(JSON.stringify(json));
  return json;
};
const run = async (body: object) => {
  const { status, json } = await page.post('/api/runs', body);
  if (status !== 202) throw new Error(JSON.stringify(json));
  return page.settled(json.id);
};

describe('each answer is what the command prints', () => {
  test('of dead letters, their groups, one of them, and replays', async () => {
    await someDead();
    const looked = [
      { path: '/api/dlq/ls', schema: 'dlq-ls', args: ['dlq', 'ls'] },
      {
        path: '/api/dlq/ls?subject=requests.mail',
        schema: 'dlq-ls',
        args: ['dlq', 'ls', '--subject', 'requests.mail'],
      },
      {
        path: '/api/dlq/ls?where=subject%3Drequests.d*',
        schema: 'dlq-ls',
        args: ['dlq', 'ls', '--where', 'subject=requests.d*'],
      },
      { path: '/api/dlq/show?id=1', schema: 'dlq-show', args: ['dlq', 'show', '1'] },
      { path: '/api/dlq/replays', schema: 'dlq-replays-ls', args: ['dlq', 'replays', 'ls'] },
      { path: '/api/request/show?id=r1', schema: 'request-show', args: ['request', 'show', 'r1'] },
      { path: '/api/request/ls', schema: 'request-ls', args: ['request', 'ls'] },
      { path: '/api/history', schema: 'history', args: ['history'] },
    ];
    for (const { path, schema, args } of looked) {
      const { status, json } = await page.get(path);
      expect([path, status]).toEqual([path, 200]);
      isOf(schema, json.result);
      expect([path, json.result]).toEqual([path, await cli(...args)]);
      // The line that is shown is one that gives the same.
      expect(json.command.argv[0]).toBe('osapi-ops');
      expect([path, await cli(...json.command.argv.slice(1))]).toEqual([path, json.result]);
    }
  });

  test('of groups, with when they died, and what else they could be chosen by', async () => {
    await someDead();
    const { json } = await page.get('/api/dlq/overview?by=subject');
    isOf('dlq-stats', json.result);
    expect(json.result).toEqual(await cli('dlq', 'stats', '--by', 'subject'));
    expect(json.result.groups.map(({ where }: { where: unknown }) => where)).toEqual([
      ['subject=requests.dns'],
      ['subject=requests.mail'],
    ]);
    expect(json.states).toEqual({ replayable: 7, parked: 0, gone: 0, orphan: 0 });
    const { groups, undated } = json.timeline;
    expect(groups.map(({ by, count }: { by: object; count: number }) => [by, count])).toEqual([
      [{ subject: 'requests.dns' }, 6],
      [{ subject: 'requests.mail' }, 1],
    ]);
    expect(undated).toBe(0);
    const keys = json.suggest.map(({ key }: { key: string }) => key);
    expect(keys).toEqual(expect.arrayContaining(['queue', 'subject', 'json:.id', 'json:.query', 'json:.to']));
  });

  test('of an error too, with its code', async () => {
    const { stdout } = await runCli(['dlq', 'show', 'REQUESTS/x/99', '--json'], { server });
    const { status, json } = await page.get('/api/dlq/show?id=REQUESTS%2Fx%2F99');
    expect(status).toBe(404);
    expect(json.error).toMatchObject(JSON.parse(stdout).error);
  });

  test('of plan and status, and of an apply of just the plan that was shown', async () => {
    expect((await runCli(['apply', join(ROOT, 'config/dev.yaml')], { server })).code).toBe(0);
    await nats.api('STREAM.UPDATE.REQUESTS', {
      ...((await nats.api('STREAM.INFO.REQUESTS')).config as object),
      duplicate_window: 60e9,
    });
    const { json } = await page.get('/api/plan');
    const planned = await cli('plan');
    expect(json.result).toEqual([planned]);
    const [{ digest, system, pending }] = json.plans;
    expect([system, pending]).toEqual(['osapi', true]);
    const asked = await run({ verb: 'apply', digest });
    expect(asked).toMatchObject({ state: 'asking', question: { type: 'confirm', n: 1 } });
    await page.post(`/api/runs/${asked.id}/answer`, { question: 1, answer: true });
    const applied = await page.settled(asked.id);
    expect(applied).toMatchObject({ state: 'done', exit: 0, result: { applied: true } });
    isOf('apply', applied.result);
    expect((await cli('plan')).changes).toEqual([]);
    // The same plan again shows what is not so any more.
    const stale = await run({ verb: 'apply', digest });
    expect(stale).toMatchObject({ state: 'failed', exit: 75, error: { code: 'PLAN_STALE', where: 'osapi.plan' } });
    expect(stale.error.hint).toContain('`osapi-ops plan --out osapi.plan`');
  });

  test('of several systems: the line names a file for the spec of each, and so does that of an apply', async () => {
    expect((await runCli(['apply', join(ROOT, 'config/dev.yaml')], { server })).code).toBe(0);
    const shop = 'version: 1\nname: shop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n';
    writeFileSync(join(dir, 'shop.yaml'), shop);
    expect((await runCli(['apply', join(dir, 'shop.yaml'), '--yes'], { server })).code).toBe(0);
    await nats.api('STREAM.DELETE.ORDERS');
    const { json } = await page.get('/api/plan');
    expect(json.command.argv.slice(-2).toSorted()).toEqual(['osapi.yaml', 'shop.yaml']);
    expect(json.notes).toContainEqual({ type: 'note', text: expect.stringContaining('put yours in its place') });
    const { digest } = json.plans.find(({ system }: { system: string }) => system === 'shop');
    const asked = await run({ verb: 'apply', digest });
    expect(asked.command.argv.slice(-2)).toEqual(['apply', 'shop.yaml']);
    await page.post(`/api/runs/${asked.id}/answer`, { question: 1, answer: false });
  });

  test('of what moves: queues with their room, their consumers and what is wrong', async () => {
    expect((await runCli(['apply', join(ROOT, 'config/dev.yaml')], { server })).code).toBe(0);
    await until(
      async () => {
        const { json } = await page.get('/api/queues');
        return (
          json.result.queues.some(({ name }: { name: string }) => name === 'REQUESTS') &&
          json.result.systems[0].system === 'osapi'
        );
      },
      'the system is seen',
      45_000,
    );
    const { json } = await page.get('/api/queues');
    const [queue] = json.result.queues;
    expect(queue).toMatchObject({ name: 'REQUESTS', system: 'osapi', ready: 0, in_flight: 0, dead: 0, retrying: 0 });
    expect(queue.consumers).toEqual([
      expect.objectContaining({ name: 'request-worker', schedule: expect.objectContaining({ tries: 10 }) }),
    ]);
    expect(json.result.systems).toEqual([{ system: 'osapi', health: expect.any(String), drift: 0 }]);
    await nats.api('STREAM.DELETE.REQUESTS');
    await until(async () => {
      const [gone] = (await page.get('/api/queues')).json.result.queues;
      return gone.ready === null && gone.health === 'critical';
    }, 'the queue is seen to be gone');
  });
});

test('answers share a connection', async () => {
  await someDead(1);
  const opened = async () => {
    const { total_connections: total } = (await (await fetch(`${server.monitorUrl}/varz`)).json()) as {
      total_connections: number;
    };
    return total;
  };
  await page.get('/api/dlq/ls');
  const before = await opened();
  for (const path of ['/api/dlq/ls', '/api/dlq/overview', '/api/history', '/api/request/ls', '/api/dlq/replays'])
    expect([path, (await page.get(path)).status]).toEqual([path, 200]);
  expect(await opened()).toBe(before);
});

describe('pages of a long list', () => {
  test('follow each other, stand still meanwhile, and are found again further up', async () => {
    await someDead(25);
    const first = (await page.get('/api/dlq/ls?rows=10')).json;
    const whole = await cli('dlq', 'ls');
    await makeDead(nats, 3);
    const second = (await page.get(`/api/dlq/ls?rows=10&cursor=${first.next}`)).json;
    const third = (await page.get(`/api/dlq/ls?rows=10&cursor=${second.next}`)).json;
    expect([...first.result, ...second.result, ...third.result]).toEqual(whole);
    expect([first.result.length, second.result.length, third.result.length]).toEqual([10, 10, 6]);
    const again = (await page.get(`/api/dlq/ls?rows=10&cursor=${first.next}`)).json;
    expect(again.result).toEqual(second.result);
    // One that is closed is read anew, down to there.
    const closed = (await page.get('/api/dlq/ls?rows=10&cursor=AAAAAAAA:3')).json;
    expect(closed.result).toHaveLength(10);
  });
});

describe('what is acted on is what was looked at', () => {
  test('a replay takes those, and none that died since', async () => {
    await someDead();
    const looked = await plan({ filters: { subject: 'requests.dns' } });
    expect(looked).toMatchObject({ count: 6, result: { dry_run: true, replayed: 0 } });
    await makeDead(nats, 2);
    const done = await run({ verb: 'replay', plan: looked.plan });
    expect(done).toMatchObject({ verb: 'replay', state: 'done', exit: 0, result: { replayed: 6, failed: 0 } });
    isOf('dlq-replay', done.result);
    expect(await cli('dlq', 'ls')).toHaveLength(3);
    expect((await cli('dlq', 'replays', 'ls'))[0]).toMatchObject({ id: done.replay, state: 'done', replayed: 6 });
    // A second time there is nothing left of them.
    const again = await run({ verb: 'replay', plan: looked.plan });
    expect(again).toMatchObject({ result: { replayed: 0 } });
    expect(again.tells).toContainEqual({
      type: 'note',
      text: expect.stringMatching(/^6 of 6 that were looked at went since/),
    });
    expect(await cli('dlq', 'ls')).toHaveLength(3);
  });

  test('the line of the look is the line of the run, and says up to when they died', async () => {
    await someDead();
    const until = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const looked = await plan({ filters: { until }, options: { to: 'requests.dns' } });
    expect(looked.looked_at).toBe(until);
    expect(looked.acts.argv).not.toContain('--dry-run');
    const done = await run({
      verb: 'replay',
      plan: looked.plan,
      options: { rate: '50/s', 'max-pending': 99, wait: false },
    });
    expect(done.command.argv).toEqual([...looked.acts.argv, '--rate=50/s', '--max-pending=99']);
    const purge = (await page.post('/api/plans', { verb: 'purge', filters: {} })).json;
    expect((await run({ verb: 'purge', plan: purge.plan })).command).toEqual(purge.acts);
  });

  test('of all that match the line to type later has no end: what died again is of it', async () => {
    await someDead();
    const until = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const filters = { until, subject: ['requests.dns'] };
    const looked = await plan({ filters, all: true });
    const done = await run({ verb: 'replay', plan: looked.plan, options: {} });
    expect(done.command.argv.slice(1)).toEqual(['dlq', 'replay', '--subject=requests.dns']);
    expect((await cli('dlq', 'replays', 'ls'))[0].line).toBe(done.command.text);
  });

  test('nothing at all, where nothing was chosen: that is not everything', async () => {
    await someDead();
    const looked = await plan({ filters: { subject: 'requests.none' } });
    expect(looked.count).toBe(0);
    expect(looked.notes).toContainEqual({ type: 'note', text: '0 of 7 dead letters match' });
    const done = await run({ verb: 'replay', plan: looked.plan });
    expect(done).toMatchObject({ state: 'failed', error: { code: 'NOT_FOUND' } });
    const purged = await page.post('/api/plans', { verb: 'purge', filters: { subject: 'requests.none' } });
    expect(await run({ verb: 'purge', plan: purged.json.plan })).toMatchObject({ state: 'failed' });
    expect(await cli('dlq', 'ls')).toHaveLength(7);
  });

  test('none of a stream that was made anew under the same name', async () => {
    await someDead();
    const looked = await plan({});
    await wipe(nats);
    await someDead();
    const done = await run({ verb: 'replay', plan: looked.plan });
    expect(done).toMatchObject({ result: { replayed: 0 } });
    expect(await cli('dlq', 'ls')).toHaveLength(7);
  });

  test('an edited payload goes in as it was shown', async () => {
    await someDead();
    const [{ id }] = await cli('dlq', 'ls', '--subject', 'requests.mail');
    const edit = { payload: JSON.stringify({ id: 'm1', to: 'b@example.com' }) };
    const looked = await plan({ ids: [id], edit });
    expect(looked.result.samples).toEqual([
      { id, changes: [{ path: 'json:.to', from: '"a@example.com"', to: '"b@example.com"' }] },
    ]);
    // No line to copy puts the payload back as it was: not the dialog's, the run's, or the one to go on with.
    expect(looked.acts.argv.slice(-2)).toEqual([id, '--edit']);
    const done = await run({ verb: 'replay', plan: looked.plan });
    expect(done).toMatchObject({ state: 'done', result: { replayed: 1 } });
    expect(done.command.text).toMatch(/ --edit$/);
    expect((await cli('dlq', 'replays', 'ls'))[0].line).toMatch(/ --edit$/);
    const [message] = await pull(nats, 'REQUESTS', 'request-worker', 1);
    expect(message!.string()).toBe(edit.payload);
    const [{ id: other }] = await cli('dlq', 'ls', '--subject', 'requests.dns');
    const broken = await plan({ ids: [other], edit: { payload: '{"n":199, nope' } });
    expect(broken.notes).toContainEqual({ type: 'warning', text: expect.stringContaining('as changed it is none') });
    const wrong = await page.post('/api/plans', {
      verb: 'replay',
      ids: ['1'],
      edit: { subject: 'requests.*' },
      options: {},
    });
    expect([wrong.status, wrong.json.error.code]).toEqual([400, 'USAGE']);
  });

  test('a purge asks, takes no for an answer, archives, and is undone', async () => {
    await someDead();
    const looked = (await page.post('/api/plans', { verb: 'purge', filters: {} })).json;
    expect(looked).toMatchObject({ count: 7, result: { purged: 7, dry_run: true } });
    isOf('dlq-purge', looked.result);
    const asked = await run({ verb: 'purge', plan: looked.plan });
    expect(asked).toMatchObject({ state: 'asking', question: { type: 'confirm', fallback: false, n: 1 } });
    expect(asked.question.text).toMatch(/^Delete 7 dead letters of REQUESTS/);
    await page.post(`/api/runs/${asked.id}/answer`, { question: 1, answer: false });
    expect(await page.settled(asked.id)).toMatchObject({ state: 'failed', error: { code: 'NOT_CONFIRMED' } });
    expect(await cli('dlq', 'ls')).toHaveLength(7);
    const second = await run({ verb: 'purge', plan: looked.plan });
    // An answer to a question that is over, or of another kind, is none.
    expect((await page.post(`/api/runs/${second.id}/answer`, { question: 7, answer: true })).status).toBe(410);
    expect((await page.post(`/api/runs/${second.id}/answer`, { question: 1, answer: 'yes' })).status).toBe(400);
    await page.post(`/api/runs/${second.id}/answer`, { question: 1, answer: true });
    const purged = await page.settled(second.id);
    expect(purged).toMatchObject({
      state: 'done',
      result: { purged: 7 },
      archive: { name: expect.stringMatching(/\.ndjson$/) },
    });
    expect(purged.archive.bytes).toBe(readFileSync(join(dir, purged.archive.name)).byteLength);
    expect(existsSync(join(dir, purged.archive.name))).toBe(true);
    expect(await cli('dlq', 'ls')).toEqual([]);
    const { json: ticket } = await page.post('/api/tickets', { path: `/api/runs/${purged.id}/archive` });
    const download = await page.get(ticket.url);
    expect(download.text).toBe(readFileSync(join(dir, purged.archive.name), 'utf8'));
    expect((await page.get(ticket.url)).status).toBe(410);
    const back = await run({ verb: 'import', run: purged.id });
    expect(back).toMatchObject({ state: 'done', result: { imported: 7 } });
    isOf('dlq-import', back.result);
    expect(await cli('dlq', 'ls')).toHaveLength(7);
  });

  test('an archive that somebody sends is looked at, and imported when they want it', async () => {
    await someDead();
    const file = join(dir, 'sent.ndjson');
    await cli('dlq', 'purge', '--yes', '--archive', file);
    const send = async (body: string) =>
      ask(page.port, 'PUT', '/api/archives?name=sent.ndjson', {
        headers: {
          cookie: page.session.cookie,
          'x-osapi-ops-key': page.session.key,
          'sec-fetch-site': 'same-origin',
        },
        body,
      });
    const { status, json } = await send(readFileSync(file, 'utf8'));
    expect([status, json.result]).toEqual([200, { imported: 7, skipped: 0, failed: 0, dry_run: true }]);
    expect(json.bytes).toBe(readFileSync(file).byteLength);
    expect(await cli('dlq', 'ls')).toEqual([]);
    expect(await run({ verb: 'import', archive: json.archive })).toMatchObject({ result: { imported: 7 } });
    expect(await cli('dlq', 'ls')).toHaveLength(7);
    expect((await send(readFileSync(file, 'utf8'))).json.result).toMatchObject({ imported: 0, skipped: 7 });
    const odd = await send('{"no":"archive"}');
    // The file has here the name that it has there, in the history too.
    expect([odd.status, odd.json.error.code, odd.json.error.where]).toEqual([400, 'USAGE_FILE', 'sent.ndjson:1']);
    expect(json.command.argv.at(-1)).toBe('sent.ndjson');
    expect((await cli('history', '--verb', 'import'))[0].detail).toEqual({ archive: 'sent.ndjson' });
    expect((await page.post('/api/runs', { verb: 'import', archive: 'x' })).status).toBe(410);
  });
});

test('an archive whose download is broken off stays open for nobody; one that was deleted is told', async () => {
  await someDead();
  const { plan: chosen } = await plan({ verb: 'purge' });
  const { id } = await run({ verb: 'purge', plan: chosen });
  await page.post(`/api/runs/${id}/answer`, { question: 1, answer: true });
  const { archive } = await page.settled(id);
  const file = join(dir, archive.name);
  // More than what lies between two processes.
  truncateSync(file, 256 * 2 ** 20);
  const fds = `/proc/${page.cli.pid}/fd`;
  const placeOf = (fd: string) => {
    try {
      return readlinkSync(join(fds, fd));
    } catch {
      // Closed since it was listed.
      return undefined;
    }
  };
  const isOpen = () => readdirSync(fds).some((fd) => placeOf(fd) === file);
  const link = async () => (await page.post('/api/tickets', { path: `/api/runs/${id}/archive` })).json.url;
  const socket = connect(page.port, '127.0.0.1');
  const began = once(socket, 'data');
  socket.write(
    `GET ${await link()} HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nCookie: ${page.session.cookie}\r\nSec-Fetch-Site: same-origin\r\n\r\n`,
  );
  expect(String((await began)[0])).toMatch(/^HTTP\/1.1 200 /);
  expect(isOpen()).toBe(true);
  socket.destroy();
  await until(async () => !isOpen(), 'the file is closed');
  rmSync(file);
  const { status, json } = await page.get(await link());
  expect([status, json.error.code]).toEqual([404, 'NOT_FOUND']);
  expect(json.error.message).toMatch(/cannot be read: no such file or directory/);
});

describe('a run', () => {
  test('tells how far it is, and is stopped from here as by Ctrl-C', async () => {
    await someDead(40);
    const looked = await plan({});
    const { json: begun } = await page.post('/api/runs', {
      verb: 'replay',
      plan: looked.plan,
      options: { rate: '1/s' },
    });
    await until(
      async () => ((await page.get(`/api/runs/${begun.id}`)).json.progress?.done ?? 0) > 2,
      'it is under way',
    );
    await page.post(`/api/runs/${begun.id}/stop`, {});
    const stopped = await page.settled(begun.id);
    expect(stopped).toMatchObject({ state: 'stopped', exit: 130, error: { code: 'INTERRUPTED' } });
    const { replayed, remaining } = stopped.result;
    expect(replayed + remaining).toBe(41);
    expect(await cli('dlq', 'ls')).toHaveLength(41 - replayed);
  });

  test('is seen by others, and stopped by `dlq replays stop`; and the other way round', async () => {
    await someDead(40);
    const looked = await plan({});
    const { json: begun } = await page.post('/api/runs', {
      verb: 'replay',
      plan: looked.plan,
      options: { rate: '1/s' },
    });
    await until(async () => (await cli('dlq', 'replays', 'ls'))[0]?.state === 'running', 'the run is written down');
    const [{ id, line }] = await cli('dlq', 'replays', 'ls');
    expect(line).toContain('--rate');
    expect((await runCli(['dlq', 'replays', 'stop', id], { server })).code).toBe(0);
    expect(await page.settled(begun.id)).toMatchObject({ state: 'stopped', exit: 130 });

    const other = startCli(['dlq', 'replay', '--rate', '1/s'], { server });
    await until(async () => (await cli('dlq', 'replays', 'ls'))[0]?.state === 'running', 'the other is written down');
    const [{ id: theirs }] = (await page.get('/api/dlq/replays')).json.result;
    expect(await run({ verb: 'stop', replay: theirs })).toMatchObject({
      state: 'done',
      result: { id: theirs, state: 'interrupted' },
    });
    expect((await other.done).code).toBe(130);
  });

  test('pauses and resumes, sends, shows and takes back', async () => {
    await makeQueue(nats);
    const deed = { verb: 'pause', target: 'REQUESTS', for: '1h' };
    const { json: line } = await page.post('/api/lines', deed);
    expect(line.argv).toEqual(['osapi-ops', 'queue', 'pause', 'REQUESTS', '--for', '1h']);
    expect((await page.post('/api/lines', { ...deed, for: 'soon' })).status).toBe(400);
    expect((await page.get('/api/runs')).text).not.toContain('"verb":"pause"');
    const paused = await run(deed);
    expect(paused.command).toEqual(line);
    isOf('queue-pause', paused.result);
    expect(paused.result).toMatchObject([{ paused: true, changed: true }]);
    expect(await run({ verb: 'resume', target: 'REQUESTS' })).toMatchObject({
      result: [{ paused: false, changed: true }],
    });
    const sent = await run({ verb: 'send', kind: 'dns', payload: '{"query":"example.com"}' });
    isOf('request-send', sent.result);
    const { json } = await page.get(`/api/request/get?id=${sent.result.id}`);
    expect(json).toMatchObject({ exit: 2, result: { state: 'queued' } });
    const asked = await run({ verb: 'cancel', id: sent.result.id });
    expect(asked).toMatchObject({ state: 'asking', question: { fallback: false } });
    await page.post(`/api/runs/${asked.id}/answer`, { question: 1, answer: true });
    expect(await page.settled(asked.id)).toMatchObject({ result: { cancelled: 1 } });
    // What stands for standard input on a command line is a payload as any other.
    expect(await run({ verb: 'send', kind: 'dns', payload: '-' })).toMatchObject({
      state: 'failed',
      error: { code: 'REQUEST_INVALID' },
    });
  });
});

describe('events', () => {
  test('are state: the newest of each at once, then what changes, and only that to who comes back', async () => {
    await someDead(3);
    const heard: { id: number; event: string }[] = [];
    const listen = async (after?: number) => {
      const { request } = await import('node:http');
      const headers = {
        cookie: page.session.cookie,
        'x-osapi-ops-key': page.session.key,
        'sec-fetch-site': 'same-origin',
        ...(after !== undefined && { 'last-event-id': String(after) }),
      };
      heard.length = 0;
      const asked = request({ host: '127.0.0.1', port: page.port, path: '/api/events', headers }, (response) => {
        let text = '';
        response
          .on('error', () => {})
          .on('data', (part) => {
            text += part;
            for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
              const [, id, event] = /^id: (\d+)\nevent: (\w+)/.exec(text.slice(0, end)) ?? [];
              if (id !== undefined) heard.push({ id: Number(id), event: event! });
              text = text.slice(end + 2);
            }
          });
      });
      asked.on('error', () => {});
      asked.end();
      return () => asked.destroy();
    };
    const close = await listen();
    await until(
      async () => heard.some(({ event }) => event === 'queues') && heard.some(({ event }) => event === 'server'),
      'it begins',
    );
    const looked = await plan({});
    await run({ verb: 'replay', plan: looked.plan });
    await until(async () => heard.some(({ event }) => event === 'run'), 'the run is told');
    close();
    const last = Math.max(...heard.map(({ id }) => id));
    const closeAgain = await listen(last);
    await sleep(300);
    expect(heard.filter(({ id }) => id <= last)).toEqual([]);
    closeAgain();
  });

  test('come while a long answer is made, and the answer after them', async () => {
    await someDead();
    const { text } = await page.ask('GET', '/api/dlq/overview?subject=none', undefined, {
      accept: 'text/event-stream',
    });
    expect(text).toMatch(/event: tell\ndata: \{"type":"note","text":"0 of 7 dead letters match"\}\n\n/);
    expect(text).toMatch(/event: answer\ndata: \{"status":200,"body":\{"result":\{"total":0/);
  });
});

describe('the difference to one that lived', () => {
  test('is told where the stream keeps one, else why there is none', async () => {
    await someDead(1);
    const { json: none } = await page.get('/api/dlq/alike?id=1');
    expect(none).toMatchObject({ result: null, why: 'a work queue keeps nothing of what was acked' });
    await wipe(nats);
    await makeQueue(nats, { config: { retention: 'limits' } });
    const lived = await put(nats, 'requests.dns', JSON.stringify({ id: 'good', query: 'example.com', v: 1 }));
    await put(nats, 'requests.mail', JSON.stringify({ id: 'other', v: 3 }));
    for (const message of await pull(nats, 'REQUESTS', 'request-worker', 2)) message.respond();
    const dead = await put(nats, 'requests.dns', JSON.stringify({ id: 'bad', query: 'example.com', v: 2 }));
    await letDie(nats);
    const { json } = await page.get(`/api/dlq/alike?id=${dead}`);
    expect(json.result).toMatchObject({ request_id: 'good', seq: lived, subject: 'requests.dns' });
    expect(json.result.differences).toEqual([
      { path: 'json:.id', dead: '"bad"', lived: '"good"' },
      { path: 'json:.v', dead: '2', lived: '1' },
    ]);
  });
});

describe('payloads', () => {
  test('are cut where they are long, and whole as a download; what is in them stays as it is', async () => {
    await makeQueue(nats);
    const odd = `<img src=x onerror=alert(1)>\u202e\u0007\u001b[31m ${'é'.repeat(50_000)}`;
    await put(
      nats,
      'requests.dns',
      JSON.stringify({ id: 'long', odd, big: 1 }).replace('"big":1', '"big":12345678901234567890'),
    );
    await put(nats, 'requests.dns', Buffer.alloc(100_000, 0xff));
    await letDie(nats);
    const { json } = await page.get('/api/dlq/show?id=1');
    expect(json.result).toMatchObject({ payload_cut: true, payload_size: expect.any(Number) });
    expect(json.result.payload).toContain('<img src=x onerror=alert(1)>\\u202e'.slice(0, 28));
    const { json: binary } = await page.get('/api/dlq/show?id=2');
    expect(Buffer.from(binary.result.payload_base64, 'base64').every((byte) => byte === 0xff)).toBe(true);
    expect(binary.result).toMatchObject({ payload_cut: true, payload_size: 100_000 });
    const { json: ticket } = await page.post('/api/tickets', { path: '/api/dlq/payload?id=1' });
    const { text, headers } = await page.get(ticket.url);
    expect(text).toContain('12345678901234567890');
    expect(headers['content-disposition']).toMatch(/^attachment; filename="[\w.-]+"$/);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(page.cli.stderr()).not.toContain('onerror');
  });
});

describe('a server', () => {
  test('that goes away and comes back is told, and nothing has to be started again', async () => {
    const own = await startServer();
    const one = await startConsole([], { server: own });
    try {
      const watching = one.get('/api/events?topics=queues,server').catch(() => undefined);
      await own.kill('SIGKILL');
      const stateOf = async () => (await one.get('/api/about')).json.server.state;
      await until(async () => (await stateOf()) === 'away', 'it is seen to be away', 40_000);
      expect((await one.get('/api/dlq/overview')).status).toBe(503);
      await own.restart();
      await until(async () => (await stateOf()) === 'connected', 'it is seen to be back', 40_000);
      expect((await one.get('/api/history')).status).toBe(200);
      await one.ask('DELETE', '/api/session');
      await watching;
    } finally {
      await one.stop();
      await own.stop();
    }
  });

  test('may let this user only look: each action names the subject that is missing', async () => {
    await wipe(nats);
    const spec = join(dir, 'spec.yaml');
    writeFileSync(
      spec,
      'version: 1\nname: osapi\nqueues:\n  REQUESTS:\n    subjects: ["requests.*"]\n    consumers:\n      request-worker: {max_deliver: 2}\n    dlq: {stream: requests_dlq}\n',
    );
    const { publish } = await cli('permissions', spec, 'viewer');
    const config = `accounts { A { jetstream: enabled, users: [{user: all, password: all-secret}, {user: see, password: see-secret, permissions: {publish: ${JSON.stringify(publish)}, subscribe: ["_INBOX.>"]}}] } }`;
    const own = await startServer({ config });
    const env = (user: string) => ({ NATS_URL: own.url, NATS_USER: user, NATS_PASSWORD: `${user}-secret` });
    try {
      expect((await runCli(['apply', spec], { env: env('all') })).stderr).not.toContain('Error');
      const one = await startConsole([spec], { env: env('see') });
      try {
        const { json } = await one.get('/api/about');
        expect(json.may.look).toEqual({ allowed: true, missing: [] });
        expect(json.may.pause).toEqual({ allowed: false, missing: ['$JS.API.CONSUMER.PAUSE.REQUESTS.request-worker'] });
        expect(json.may.replay.missing).toEqual(
          expect.arrayContaining(['requests.*', '$JS.API.STREAM.MSG.DELETE.REQUESTS']),
        );
        // A page that does not grey it out is told the same by the server.
        const { json: begun } = await one.post('/api/runs', { verb: 'pause', target: 'REQUESTS' });
        expect(await one.settled(begun.id)).toMatchObject({
          state: 'failed',
          exit: 77,
          error: { code: 'DENIED_SUBJECT' },
        });
        const all = one.cli.stdout() + one.cli.stderr() + JSON.stringify(json) + (await one.get('/api/queues')).text;
        expect(all).not.toContain('see-secret');
      } finally {
        await one.stop();
      }
      // A system of others on the same server hides nothing of the own one, and says what it would need.
      const text = readFileSync(spec, 'utf8').replace('osapi', 'billing').replaceAll('requests', 'invoices');
      writeFileSync(spec, text.replace('REQUESTS', 'INVOICES'));
      expect((await runCli(['apply', spec], { env: env('all') })).code).toBe(0);
      const both = await startConsole([], { env: env('see') });
      try {
        const { status, json } = await both.get('/api/queues');
        expect([status, json.result.queues.map(({ name }: { name: string }) => name)]).toEqual([200, ['REQUESTS']]);
        expect(json.result.systems).toContainEqual({ system: 'billing', health: 'unknown', drift: null });
        expect(json.result.findings).toContainEqual({
          system: 'billing',
          id: 'denied',
          code: 'DENIED_SUBJECT',
          status: 'unknown',
          summary: expect.stringMatching(/^no permission to publish to \$JS\.API\..*(?:INVOICES|invoices_dlq)/),
          page: 'docs/errors.md#denied_subject',
          next: expect.stringMatching(/^allow publish on \$JS\.API\./),
        });
        const { may } = (await both.get('/api/about')).json;
        expect(may.pause.missing).toEqual(['$JS.API.CONSUMER.PAUSE.REQUESTS.request-worker']);
      } finally {
        await both.stop();
      }
    } finally {
      await own.stop();
    }
  });
});

describe('one file for a ticket', () => {
  test('of status: what is wrong, what the queues hold, in words and drawn', async () => {
    await someDead();
    const { stdout, code } = await runCli(['status', '--output', 'html'], { server });
    expect(code).toBe(2);
    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(stdout).toContain('aria-label="7 dead"');
    expect(stdout).toContain('CHECK_DEAD');
    expect(stdout).not.toMatch(/<script/i);
    const away = await runCli(['status', '--output', 'html'], { env: { NATS_URL: 'nats://127.0.0.1:1' } });
    expect([away.code, away.stdout.includes('critical')]).toEqual([69, true]);
  });

  test('of groups of the dead: each with its line, and when they died', async () => {
    await someDead();
    const { stdout, code } = await runCli(['dlq', 'stats', '--by', 'subject', '--output', 'html'], { server });
    expect(code).toBe(0);
    expect(stdout).toContain('<h1>7 dead letters</h1>');
    expect(stdout).toMatch(/<p class="muted">nats:[^<]+, server [^<]+, account /);
    expect(stdout).toMatch(/<td><svg [^>]+><rect class="f-dead"[^>]*\/><\/svg>\u00a0A<\/td>/);
    expect(stdout).toMatch(/<td data-label="first">\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ<\/td>/);
    expect(stdout).toContain('aria-label="6 A requests.dns, 1 B requests.mail"');
    expect(stdout).toContain('<code>osapi-ops dlq replay --where subject=requests.dns</code>');
    expect(stdout).toMatch(/aria-label="deaths from [\d:TZ.-]+ to /);
    const json = await runCli(['dlq', 'stats', '--output', 'json'], { server });
    expect(JSON.parse(json.stdout)).toEqual(await cli('dlq', 'stats'));
    // Who it is sent to learns how it was counted, and no password that was typed.
    const secret = [
      '--user',
      'ana',
      '--password',
      's3cret-pw',
      '--server',
      server.url.replace('//', '//ana:s3cret-pw@'),
    ];
    const typed = await runCli(['dlq', 'stats', ...secret, '--by', 'subject', '--queue', 'REQUESTS', '-o', 'html']);
    expect(typed.stdout).toContain(
      `<code>osapi-ops dlq stats --server ${server.url} --by subject --queue REQUESTS</code>`,
    );
    expect(typed.stdout).not.toContain('s3cret-pw');
    const none = await runCli(['dlq', 'stats', '--subject', 'x', '--output', 'html'], { server });
    expect(none.stdout).toContain('<h1>0 dead letters</h1>');
  });
});
