import type { Context } from '../../src/lib/model/context.ts';
import { recordingIo } from './io.ts';

/** What an operation gets of the world: one server, a spec on standard input, nobody to ask. */
export const contextFor = (
  server: { readonly url: string },
  stdin = '',
): Context & { io: ReturnType<typeof recordingIo> } => ({
  io: recordingIo(),
  env: { USER: 'tester' },
  cwd: '/',
  connection: { server: server.url, 'no-context': true },
  tool: '0.0.0',
  now: () => new Date(),
  readStdin: async () => stdin,
});
