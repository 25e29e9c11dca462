import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import stringWidth from 'fast-string-width';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, put } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    discard: new
    consumers:
      request-worker: { max_deliver: 1, ack_wait: 100ms }
    dlq: { stream: requests_dlq }
`;

needing('a pseudo-terminal').describe('status --watch in a terminal', () => {
  let server: TestServer;
  let nats: Nats;
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-watch-'));
  beforeAll(async () => {
    server = await startServer();
    nats = await connectTo(server);
    writeFileSync(join(dir, 'spec.yaml'), SPEC);
    await runCli(['apply', 'spec.yaml'], { server, cwd: dir });
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test.each([60, 100])('draws, follows what happens, fits %s columns, and leaves a clean terminal', async (columns) => {
    await nats.api('STREAM.PURGE.REQUESTS');
    const terminal = startInTerminal(['status', '--watch', '--interval', '300ms'], {
      server,
      cwd: dir,
      columns,
      rows: 24,
    });
    await terminal.expect('osapi is healthy');
    await put(nats, 'requests.dns', '{"id":"1"}');
    await terminal.expect(/1 waiting/);
    await letDie(nats);
    await terminal.expect(/osapi is degraded/);
    await terminal.expect(/dead +1 +\S*█/);
    terminal.send(KEY.ctrlC);
    expect(await terminal.done).toBe(0);
    const screens = terminal.text().split('osapi is ').slice(1);
    expect(screens.length).toBeGreaterThan(2);
    for (const line of terminal.text().split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(columns + 2);
    // The cursor is there, the main screen too, and nothing more is drawn in colour.
    const raw = terminal.raw();
    expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(raw.lastIndexOf('\u001b[?25l'));
    expect(raw.match(/\u001b\[\?1049[hl]/g)?.at(-1)).not.toBe('\u001b[?1049h');
    expect(raw).toMatch(/\n$/);
  });
});
