import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from './connected.ts';
import { startServer, type TestServer } from './server.ts';

export interface Lab {
  readonly server: TestServer;
  readonly nats: Nats;
  /** A folder of their own. */
  readonly cwd: string;
}

/** A server for the tests of a file, a connection to it and a folder: handed over before the first, gone after the last. */
export function useLab(hand: (lab: Lab) => void): void {
  let lab: Lab | undefined;
  beforeAll(async () => {
    const server = await startServer();
    lab = { server, nats: await connectTo(server), cwd: mkdtempSync(join(tmpdir(), 'osapi-ops-lab-')) };
    hand(lab);
  });
  afterAll(async () => {
    await lab?.nats.close();
    await lab?.server.stop();
    if (lab) rmSync(lab.cwd, { recursive: true, force: true });
  });
}
