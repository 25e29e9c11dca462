import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/lib/model/json.ts';
import { applyOperation } from '../../src/lib/operations/apply.ts';
import { planOperation } from '../../src/lib/operations/plan.ts';
import { contextFor } from '../support/context.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { Lab } from './fields-lab.ts';

const LIMITS = 'jetstream { limits { max_ack_pending: 500, duplicate_window: 30s, max_request_batch: 250 } }';
const spec = (queue = '', worker = ''): string =>
  `version: 1\nname: lim\nqueues:\n  Q:\n    subjects: [q.*]\n    ${queue}\n    consumers: {w: {max_deliver: 3, ${worker}}}\n    dlq: {stream: dead}\n    responses: {bucket: answers, ttl: 1h}\n`;

describe.each(availableVersions())('a server whose own limits lower defaults, nats-server %s', (line) => {
  let server: TestServer;
  let lab: Lab;
  beforeAll(async () => {
    server = await startServer({ version: line, config: LIMITS });
    lab = await Lab.open(server.url);
  });
  afterAll(async () => {
    await lab?.nc.close();
    await server?.stop();
  });

  const apply = (text: string) =>
    applyOperation(contextFor(server, text), {
      specs: ['-'],
      given: new Set(['adopt']),
      yes: false,
      dryRun: false,
      lockWaitMs: 0,
      show() {},
    });
  const drift = async (text: string) => {
    const { plans } = await planOperation(contextFor(server, text), { specs: ['-'] });
    return plans.flatMap(({ changes }) =>
      changes.flatMap(({ name, fields }) => fields.map(({ path }) => `${name} ${path}`)),
    );
  };
  const queue = async () => (await lab.api('STREAM.INFO.Q')).config as Config;
  const worker = async () => (await lab.api('CONSUMER.INFO.Q.w')).config as Config;
  const wipe = async () => {
    for (const name of ['Q', 'dead', 'KV_answers', 'KV_osapi_ops'])
      await lab.api(`STREAM.DELETE.${name}`).catch(() => {});
  };

  test('shows no difference in what the spec leaves out, and still sees what somebody changed', async () => {
    await wipe();
    await apply(spec());
    expect([await queue(), await worker()]).toMatchObject([
      { duplicate_window: 30e9 },
      { max_ack_pending: 500, max_batch: 250 },
    ]);
    expect(await drift(spec())).toEqual([]);
    await lab.api('STREAM.UPDATE.Q', { ...(await queue()), duplicate_window: 5e9 });
    await lab.api('CONSUMER.CREATE.Q.w', {
      stream_name: 'Q',
      config: { ...(await worker()), max_ack_pending: 3 },
      action: 'update',
    });
    expect(await drift(spec())).toEqual(['Q duplicate_window', 'Q/w max_ack_pending']);
    await apply(spec());
    expect([await queue(), await worker()]).toMatchObject([{ duplicate_window: 30e9 }, { max_ack_pending: 500 }]);
    expect(await drift(spec())).toEqual([]);
  });

  test('changes something else, and takes a written value back, without asking for more than the server gives', async () => {
    await wipe();
    await apply(spec('duplicate_window: 10s', 'max_ack_pending: 40'));
    expect(await drift(spec('duplicate_window: 10s', 'max_ack_pending: 40'))).toEqual([]);
    await apply(spec('max_msgs: 100\n    discard: new', 'max_batch: 7'));
    expect([await queue(), await worker()]).toMatchObject([
      { duplicate_window: 30e9, max_msgs: 100 },
      { max_ack_pending: 500, max_batch: 7 },
    ]);
    expect(await drift(spec('max_msgs: 100\n    discard: new', 'max_batch: 7'))).toEqual([]);
  });

  test('takes over what somebody else made there', async () => {
    await wipe();
    await lab.api('STREAM.CREATE.Q', { name: 'Q', subjects: ['q.*'], retention: 'workqueue', allow_direct: true });
    await lab.api('CONSUMER.CREATE.Q.w', {
      stream_name: 'Q',
      config: { durable_name: 'w', ack_policy: 'explicit', max_deliver: 3 },
    });
    await apply(spec());
    expect(await drift(spec())).toEqual([]);
  });
});
