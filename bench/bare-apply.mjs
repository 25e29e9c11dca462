// The least a client can do to make so many queues: a stream, its consumer, its DLQ and its bucket each, 16 under way at
// once. It asks nothing before, and looks at nothing after.
import { connect } from '@nats-io/transport-node';

const [url, queues] = [process.argv[2], Number(process.argv[3])];
const nc = await connect({ servers: url });
const api = async (subject, body) => {
  const answer = (await nc.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 30_000 })).json();
  if (answer.error) throw new Error(JSON.stringify(answer.error));
};

let next = 0;
const lane = async () => {
  while (next < queues) {
    const id = String(next++).padStart(4, '0');
    const storage = 'memory';
    const queue = { name: `Q${id}`, subjects: [`q${id}.*`], retention: 'workqueue', discard: 'new', max_msgs: 100_000 };
    await api(`STREAM.CREATE.Q${id}`, { ...queue, storage, allow_direct: true });
    const worker = { durable_name: 'worker', ack_policy: 'explicit', filter_subject: `q${id}.*`, max_deliver: 10 };
    const config = { ...worker, backoff: [5e9, 10e9, 15e9] };
    await api(`CONSUMER.CREATE.Q${id}.worker`, { stream_name: `Q${id}`, config, action: 'create' });
    const died = ['MAX_DELIVERIES', 'MSG_TERMINATED'].map((kind) => `$JS.EVENT.ADVISORY.CONSUMER.${kind}.Q${id}.>`);
    await api(`STREAM.CREATE.q${id}_dlq`, { name: `q${id}_dlq`, subjects: died, storage, allow_direct: true });
    const bucket = { name: `KV_q${id}_responses`, subjects: [`$KV.q${id}_responses.>`], max_msgs_per_subject: 1 };
    const kept = { discard: 'new', allow_rollup_hdrs: true, deny_delete: true, allow_direct: true };
    await api(`STREAM.CREATE.KV_q${id}_responses`, { ...bucket, ...kept, storage });
  }
};
await Promise.all(Array.from({ length: 16 }, lane));
await nc.close();
