import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';
import type { WorkerEvent } from '../../src/lib/model/worker.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { makeSystem } from '../support/worker.ts';

/** Of the tests that run now. */
export let server: TestServer;
export let nats: Nats;

/** Tests of a worker, on each line of the server; each test has the system new. */
export function describeWorkers(title: string, tests: () => void): void {
  describe.each(availableVersions())(`${title}, nats-server %s`, (version) => {
    beforeAll(async () => {
      server = await startServer({ version });
      nats = await connectTo(server);
    }, 60_000);
    afterAll(async () => {
      await nats?.close();
      await server?.stop();
    });
    beforeEach(() => makeSystem(nats));
    tests();
  });
}

export async function response(id: string): Promise<string | undefined> {
  const entry = await nats.kv('responses').get(id);
  return entry && Buffer.from(entry.value).toString();
}

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-handlers-'));
// Not with a file: others that use this in the same process still write into it.
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
let count = 0;

/** A module with this text as a handler. */
export function handler(body: string): { work: { type: 'handler'; file: string } } {
  const file = join(dir, `handler-${count++}.ts`);
  writeFileSync(
    file,
    `export default async (request: { id: string; query: string }, context: any) => {\n${body}\n};\n`,
  );
  return { work: { type: 'handler', file } };
}

/** A handler that says that it has begun, waits until it is let go, and then does this. */
export function heldHandler(body: string): ReturnType<typeof handler> & { letGo(): void } {
  const gate = join(dir, `gate-${count}`);
  return {
    ...handler(`
      const { existsSync } = await import('node:fs');
      context.log('begun');
      while (!existsSync(${JSON.stringify(gate)})) await new Promise((done) => setTimeout(done, 10));
      ${body}`),
    letGo: () => writeFileSync(gate, ''),
  };
}

/** Waits until handlers have said this so many times with `context.log`. */
export const heard = ({ events }: { events: readonly WorkerEvent[] }, said: string, times = 1): Promise<void> =>
  until(() => events.filter(({ message }) => message === said).length >= times, `${times} × ${said}`);
