// Brings the servers of the test matrix into the cache and prints the lines that are there.
import { locateServer } from '../../src/lib/devserver/locate.ts';
import { recordingIo } from './io.ts';
import { LINES } from './server.ts';

const found = await Promise.all(
  LINES.map(async (line) => {
    try {
      await locateServer({ env: process.env, io: recordingIo(), line });
      return line;
    } catch (error) {
      process.stderr.write(`not tested on nats-server ${line}: ${(error as Error).message}\n`);
      return '';
    }
  }),
);
console.log(found.join(' '));
