// The pictures of README and docs, as what is typed. What comes before is not drawn.
import { isObject } from '../../src/lib/model/json.ts';
import type { Scene, Stage } from './play.ts';

/** Dies after three tries in half a second, so that nobody waits for a picture. */
const QUICK = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: 100000
    consumers:
      request-worker: { filter_subject: "requests.*", max_deliver: 3, backoff: [100ms, 200ms] }
    dlq: { stream: requests_dlq, max_age: 30d }
    responses: { bucket: responses, ttl: 7d }
`;

const handler = (body: string): string => `export default async ({ query }) => {\n  ${body}\n};\n`;
const BROKEN = handler("throw new Error('resolver timed out after 2s');");
const MENDED = handler("return '93.184.216.34';");

/** Three requests that a broken handler gives up, one after the other so that their order is certain. */
async function threeDead(stage: Stage): Promise<void> {
  stage.write('osapi-ops.yaml', QUICK);
  stage.write('answer.mjs', BROKEN);
  await stage.run('apply');
  for (const [id, query] of [
    ['r-1041', 'example.com'],
    ['r-1042', 'example.net'],
    ['r-1043', 'example.org'],
  ] as const) {
    await stage.run('request', 'send', 'dns', JSON.stringify({ query }), '--id', id);
    await stage.run('worker', 'run', '--handler', './answer.mjs', '--idle-exit', '1s');
  }
}

export const SCENES: readonly Scene[] = [
  {
    name: 'plan',
    title: 'osapi-ops plan shows what somebody changed on the server, field by field, and why it matters',
    columns: 96,
    async before({ run, nats }) {
      await run('apply', 'config/prod.yaml');
      const { config } = await nats.api('STREAM.INFO.REQUESTS');
      await nats.api('STREAM.UPDATE.REQUESTS', { ...(isObject(config) ? config : {}), max_msgs: 5000 });
      await nats.api('CONSUMER.DELETE.REQUESTS.request-worker');
    },
    acts: [{ args: ['plan', 'config/prod.yaml'] }],
  },
  {
    name: 'apply',
    title: 'osapi-ops apply shows the plan, asks, and makes a queue with its worker, dead-letter stream and responses',
    columns: 96,
    before: async () => {},
    acts: [{ args: ['apply', 'config/prod.yaml'], answer: [/Apply this to .*\?/, 'y\r'] }],
  },
  {
    name: 'dead-letters',
    title: 'status is critical because three requests are dead; dlq ls lists them; dlq replay moves them back',
    columns: 96,
    before: threeDead,
    acts: [
      { args: ['status'] },
      { args: ['dlq', 'ls'] },
      {
        args: ['dlq', 'replay', '--wait'],
        before(stage) {
          stage.write('answer.mjs', MENDED);
          stage.begin('worker', 'run', '--handler', './answer.mjs', '--idle-exit', '5s');
        },
      },
      { args: ['status'] },
    ],
  },
];
