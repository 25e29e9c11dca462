import { expect, test } from '@jest/globals';
import { ApiError } from '../../../src/lib/nats/api-error.ts';
import type { Nats } from '../../../src/lib/nats/port.ts';
import { writeStream } from '../../../src/lib/nats/streams.ts';

const STORE = 10049;

// As many refusals as the table says, then the answer of a server.
test.each([
  { refusals: [], want: 'S', asked: 1 },
  { refusals: [STORE], want: 'S', asked: 2 },
  { refusals: [STORE, STORE], want: STORE, asked: 2 },
  { refusals: [10058], want: 10058, asked: 1 },
])('a stream that is refused with $refusals is asked for $asked times', async ({ refusals, want, asked }) => {
  const subjects: string[] = [];
  const api = async (subject: string) => {
    const code = refusals[subjects.push(subject) - 1];
    if (code) throw new ApiError(subject, { err_code: code, description: 'error creating store for stream' });
    return { config: { name: 'S' } };
  };
  const nats = { api, settings: { apiPrefix: '$JS.API' } } as unknown as Nats;
  const made = await writeStream(nats, 'create', 'S', {}).then(
    ({ name }) => name,
    ({ errCode }) => errCode,
  );
  expect([made, subjects]).toEqual([want, Array(asked).fill('STREAM.CREATE.S')]);
});
