// Takes messages of a consumer and answers each with a word that the nats CLI has no flag for: by hand
//   node test/worlds/settle.ts Q a 2 '+TERM it is poison'
// with the server in NATS_URL.
import { connect } from '@nats-io/transport-node';
import { Person } from './person.ts';

const [stream, consumer, count, word] = process.argv.slice(2);
const url = process.env.NATS_URL!;
const nc = await connect({ servers: url });
const person = new Person({ nc, url, variable: 'FIRST_URL' }, '.', {});
await person.settle(await person.pull(stream!, consumer!, Number(count), 1000), word!);
await nc.close();
