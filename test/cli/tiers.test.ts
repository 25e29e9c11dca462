import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { makeOperator } from '../support/jwt.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';

const KIB = 1024;
const { config, creds } = makeOperator({
  tiered_limits: { R1: { mem_storage: 0, disk_storage: 64 * KIB, streams: 4, consumer: 10 } },
});

const specOf = (fields: string) => `version: 1
name: tiered
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    ${fields}
    consumers: { request-worker: { max_deliver: 3 } }
    dlq: { stream: requests_dlq }
`;

describe.each(outermostVersions())('an account with limits for each number of replicas, on %s', (version) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ version, config });
  });
  afterAll(() => server?.stop());
  const run = (args: readonly string[], stdin?: string) =>
    runCli(args, { server, env: { NATS_CREDS: 'env://SECRET', SECRET: creds }, ...(stdin !== undefined && { stdin }) });

  test('takes what is within its tier, and the plan refuses what is not', async () => {
    const large = await run(['plan', '-'], specOf(`max_bytes: ${65 * KIB}`));
    expect(large.stdout + large.stderr).toContain('the account may use 64KiB of file storage of tier R1');
    const many = await run(['plan', '-'], specOf('num_replicas: 3'));
    expect(many.stdout + many.stderr).toContain('the account has limits for R1 only, and may have no stream of R3');
    expect(await run(['apply', '-', '--yes'], specOf(`max_bytes: ${32 * KIB}`))).toMatchObject({ code: 0 });
    const status = JSON.parse((await run(['status', '--json'])).stdout);
    expect(status.checks).toContainEqual(
      expect.objectContaining({ id: 'storage', summary: expect.stringMatching(/ of tier R1: .* of /) }),
    );
    expect((await run(['doctor'])).stdout.replace(/\s+/g, ' ')).toMatch(/3 of 4 streams.* of tier R1/);
    const more = await run(
      ['plan', '-'],
      `${specOf(`max_bytes: ${32 * KIB}`)}streams: { B: { subjects: [b] }, C: { subjects: [c] } }\n`,
    );
    expect(more.stdout + more.stderr).toContain('the account may have 4 streams of tier R1: it has 3');
  });
});
