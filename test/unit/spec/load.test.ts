import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { loadSpec, requireSpec } from '../../../src/lib/spec/load.ts';
import { loadText, queue, told } from './support.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A directory with these files, and how to load from it. */
function folder(files: Record<string, string | Buffer>) {
  const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-spec-'));
  dirs.push(cwd);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  const io = (env: Record<string, string> = {}) => ({ cwd, env, readStdin: async () => '' });
  return { load: (source: string, env?: Record<string, string>) => loadSpec(source, io(env)), io };
}

const BASE = 'version: 1\nname: shop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n    max_age: 7d\n';

describe('loadSpec', () => {
  test('reads the shipped specs without a problem and without an environment', async () => {
    for (const source of ['config/base.yaml', 'config/dev.yaml', 'config/prod.yaml']) {
      const { loaded, problems } = await loadSpec(source, { cwd: process.cwd(), env: {}, readStdin: async () => '' });
      expect(problems).toEqual([]);
      expect(loaded?.spec.name).toBe('osapi');
      expect(loaded?.spec.queues.REQUESTS?.consumers['request-worker']).toEqual({
        ack_policy: 'explicit',
        filter_subject: 'requests.*',
        max_deliver: 10,
        backoff: [5e9, 10e9, 15e9],
      });
    }
  });

  test.each([
    ['max_age: 999999', 'max_age must be a duration with its unit'],
    ['max_age: "30"', 'max_age must be a duration with its unit'],
    ['duplicate_window: 5', 'duplicate_window must be a duration with its unit'],
    ['consumers: {w: {ack_wait: 30}}', 'ack_wait must be a duration with its unit'],
    ['consumers: {w: {backoff: [5, 10, 15]}}', 'backoff must be a list of durations with their units'],
    ['consumers: {w: {backoff: [5s, "10"]}}', 'backoff must be a list of durations with their units'],
    ['health: {oldest: {warn: 300}}', 'warn must be a duration with its unit'],
  ])('%s: nobody means that many nanoseconds', async (fields, message) => {
    const { problems } = await loadText(queue(`    ${fields}\n`));
    expect(problems).toMatchObject([
      { severity: 'error', message, hint: 'add the unit, as 5s: a bare number is nanoseconds.' },
    ]);
  });

  test.each([
    ['10Gi', 'write 10GiB.'],
    ['1.5Ti', 'write 1.5TiB.'],
    ['10G i', 'write it as 512MB, 1GiB or bytes; -1 or unlimited for no limit.'],
  ])('max_bytes: %s is a size elsewhere: %s', async (size, hint) => {
    const { problems } = await loadText(queue(`    max_bytes: ${size}\n`));
    expect(problems).toMatchObject([{ severity: 'error', hint }]);
  });

  test('a capture that there is not is told by itself', async () => {
    const { problems } = await loadText(queue('    dlq: {stream: D, capture: [terminated, all]}\n'));
    expect(problems).toMatchObject([
      { message: 'capture must be a list of max_deliveries and terminated', why: '"all" is text.' },
    ]);
  });

  test.each(['!env SECRET', '!Sub "AWS-Region"', '!vault secret/data/x', '!secret {a: b}'])(
    'description: %s: a tag of another program is an error, and what stands behind it is not told',
    async (value) => {
      const { loaded, problems } = await loadText(queue(`    description: ${value}\n`));
      expect(loaded).toBeUndefined();
      expect(problems).toMatchObject([
        { code: 'SPEC_TAG', severity: 'error', line: 5, message: `the tag ${value.split(' ')[0]} means nothing here` },
      ]);
    },
  );

  test('fills in what a queue means unwritten, and nothing else', async () => {
    const { loaded } = await loadText(queue('    subjects: ["orders.*"]\n    consumers:\n      packer:\n'));
    expect(loaded?.spec.queues.ORDERS).toEqual({
      config: { retention: 'workqueue', allow_direct: true, subjects: ['orders.*'] },
      consumers: { packer: { ack_policy: 'explicit' } },
      health: {
        dead: { warn: 1, critical: 100 },
        backlog: { warn: 1000, critical: 10_000 },
        oldest: { warn: 300e9, critical: 3600e9 },
        usage: { warn: 70, critical: 90 },
      },
    });
  });

  test.each([
    { name: 'durations', fields: 'max_age: 1h30m', want: { max_age: 5400e9 } },
    { name: 'a year in nanoseconds', fields: 'max_age: 31536000000000000', want: { max_age: 31_536_000e9 } },
    { name: 'no limit of age', fields: 'max_age: unlimited', want: { max_age: 0 } },
    {
      name: 'sizes',
      fields: 'max_bytes: 512MB\n    max_msg_size: 64k',
      want: { max_bytes: 2 ** 29, max_msg_size: 65_536 },
    },
    {
      name: 'unlimited counts',
      fields: 'max_msgs: unlimited\n    max_consumers: -1',
      want: { max_msgs: -1, max_consumers: -1 },
    },
    { name: 'a subject alone', fields: 'subjects: orders.*', want: { subjects: ['orders.*'] } },
    {
      name: 'advisory subjects without escapes',
      fields: 'subjects: [$JS.EVENT.X.>]',
      want: { subjects: ['$JS.EVENT.X.>'] },
    },
    {
      name: 'escaped dollars',
      fields: `description: $\${A} costs $$5 or $5`,
      want: { description: `\${A} costs $5 or $5` },
    },
    { name: 'groups', fields: 'placement: {tags: [ssd]}', want: { placement: { tags: ['ssd'] } } },
    { name: 'null as unwritten', fields: 'max_age:', want: {} },
  ])('reads $name', async ({ fields, want }) => {
    const { loaded, problems } = await loadText(queue(`    ${fields}\n`));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { retention: _, allow_direct: __, ...config } = loaded!.spec.queues.ORDERS!.config;
    expect(config).toEqual(want);
  });

  test('fills variables into values and types them afterwards', async () => {
    const text = queue(
      `    subjects: ["\${PREFIX:-orders}.*"]\n    num_replicas: \${N:-1}\n    description: \${A:-\${B:-nested}}\n    metadata: {rank: "\${N}"}\n`,
    );
    const config = (await loadText(text, { N: '3' })).loaded?.spec.queues.ORDERS?.config;
    expect(config).toMatchObject({
      subjects: ['orders.*'],
      num_replicas: 3,
      description: 'nested',
      metadata: { rank: '3' },
    });
  });

  test('names each missing variable once, at its dollar, with the message the spec gives', async () => {
    const text = queue(`    subjects: ["a.\${ONE}"]\n    num_replicas: \${TWO:?set it in CI}\n    max_age: \${THREE\n`);
    const result = await loadText(text, { TWO: '' });
    expect(told(result)).toEqual(['SPEC_VARIABLE 5:19', 'SPEC_VARIABLE 6:19', 'SPEC_VARIABLE 7:14']);
    expect(result.problems.map(({ message }) => message)).toEqual([
      `\${ONE} is not set`,
      `\${TWO} is not set: set it in CI`,
      'the variable that begins here has no closing brace',
    ]);
  });

  test('paths of a connection are relative to the file that says them', async () => {
    const { load } = folder({
      'base/deep/base.yaml': `${BASE}\nconnection:\n  creds: ./a.creds\n  nkey: file://b.nk\n  tls_ca: /etc/ca.pem\n  tls_cert: ~/c.pem\n  tls_key: k.pem\n`,
      'spec/top.yaml': 'extends: ../base/deep/base.yaml\nname: top\nconnection:\n  tls_key: k.pem\n',
    });
    expect((await load('spec/top.yaml')).loaded?.spec.connection).toEqual({
      creds: join('..', 'base', 'deep', 'a.creds'),
      nkey: `file://${join('..', 'base', 'deep', 'b.nk')}`,
      tls_ca: '/etc/ca.pem',
      tls_cert: '~/c.pem',
      tls_key: 'k.pem',
    });
  });

  test('merges maps and replaces lists and scalars through a chain of extends', async () => {
    const { load } = folder({
      'base/base.yaml': `${BASE}    consumers:\n      packer: {max_deliver: 3, backoff: [1s, 2s]}\n`,
      'mid.yaml': 'extends: ./base/base.yaml\nqueues:\n  ORDERS:\n    subjects: ["new.*"]\n    max_age:\n',
      'top.yaml': `extends: \${WHICH:-mid}.yaml\nname: top\nqueues:\n  ORDERS:\n    consumers:\n      packer: {backoff: [9s]}\n`,
    });
    const { loaded, problems } = await load('top.yaml');
    expect(problems).toEqual([]);
    expect(loaded?.files).toEqual(['base/base.yaml', 'mid.yaml', 'top.yaml']);
    expect(loaded?.spec.name).toBe('top');
    expect(loaded?.spec.queues.ORDERS).toMatchObject({
      config: { subjects: ['new.*'] },
      consumers: { packer: { max_deliver: 3, backoff: [9e9] } },
    });
    expect(loaded?.spec.queues.ORDERS?.config).not.toHaveProperty('max_age');
    expect(loaded?.positionOf(['queues', 'ORDERS', 'consumers', 'packer', 'max_deliver'])).toEqual({
      file: 'base/base.yaml',
      line: 8,
      column: 16,
    });
    expect(loaded?.positionOf(['queues', 'ORDERS', 'nothing', 'such'])).toMatchObject({ file: 'top.yaml', line: 4 });
  });

  test.each([
    {
      name: 'a circle',
      files: { 'a.yaml': 'extends: b.yaml\n', 'b.yaml': '\nextends: ./a.yaml\n' },
      want: 'b.yaml:2:10 extends goes in a circle: a.yaml → b.yaml → a.yaml',
    },
    {
      name: 'itself',
      files: { 'a.yaml': 'extends: a.yaml\n' },
      want: 'a.yaml:1:10 extends goes in a circle: a.yaml → a.yaml',
    },
    {
      name: 'a missing file',
      files: { 'a.yaml': 'extends: dir/b.yaml\n' },
      want: 'a.yaml:1:10 there is no file dir/b.yaml',
    },
    { name: 'a list', files: { 'a.yaml': 'extends: [b.yaml]\n' }, want: 'a.yaml:1:10 extends must be a path' },
  ])('refuses to extend $name, at the line that says so', async ({ files, want }) => {
    const { problems } = await folder(files as Record<string, string>).load('a.yaml');
    expect(problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)).toEqual([want]);
  });

  test('tells the problems of an extended file at their place in it', async () => {
    const { load } = folder({ 'base.yaml': BASE.replace('max_age', 'max_aeg'), 'top.yaml': 'extends: base.yaml\n' });
    const { problems } = await load('top.yaml');
    expect(problems).toMatchObject([{ file: 'base.yaml', line: 6, column: 5, hint: 'did you mean max_age?' }]);
  });

  test.each([
    { files: { 'a.yml': BASE }, want: 'did you mean a.yml?' },
    { files: {}, want: 'check the path, and from which directory you run.' },
  ])('names the file of the other ending where it is there: $want', async ({ files, want }) => {
    const { problems } = await folder(files as Record<string, string>).load('a.yaml');
    expect(problems[0]?.hint).toBe(want);
  });

  test.each([
    { name: 'no file', files: {}, want: /there is no file a\.yaml/ },
    { name: 'a directory', files: { 'a.yaml/b': '' }, want: /is a directory/ },
    { name: 'binary', files: { 'a.yaml': Buffer.from([0, 159, 146, 150]) }, want: /no text in UTF-8/ },
    { name: 'UTF-16', files: { 'a.yaml': Buffer.from(`\ufeff${BASE}`, 'utf16le') }, want: /no text in UTF-8/ },
    {
      name: 'a huge file',
      files: { 'a.yaml': '#'.repeat(5 * 1024 * 1024) },
      want: /is too long for a spec: it has more than 4MiB/,
    },
  ])('says what is wrong with $name', async ({ files, want }) => {
    const { load, io } = folder(files as Record<string, string>);
    const { problems, loaded } = await load('a.yaml');
    expect(loaded).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(['SPEC_UNREADABLE']);
    expect(problems[0]?.message).toMatch(want);
    await expect(requireSpec('a.yaml', io())).rejects.toMatchObject({ code: 'SPEC_UNREADABLE', exitCode: 65 });
  });

  test('reads a file with a byte order mark and CRLF, at the right places', async () => {
    const crlf = `\ufeff${BASE.replace('max_age', 'max_aeg').replaceAll('\n', '\r\n')}`;
    expect(told(await loadText(crlf))).toEqual(['SPEC_UNKNOWN_KEY 6:5 queues.ORDERS.max_aeg']);
  });

  test('tells every problem at once, in the order of the file', async () => {
    const result = await loadText(
      queue(`
    subjects: ["orders.*"]
    retention: workq
    num_replica: 3
    max_age: soon
    consumers:
      packer:
        deliverPolicy: new
        max_deliver: 2
        backoff: [1s, 2s, 3s]
        sample: 1
`),
    );
    expect(told(result)).toEqual([
      'SPEC_OTHER_WORD 6:16 queues.ORDERS.retention',
      'SPEC_UNKNOWN_KEY 7:5 queues.ORDERS.num_replica',
      'SPEC_TYPE 8:14 queues.ORDERS.max_age',
      'SPEC_OTHER_WORD 11:9 queues.ORDERS.consumers.packer.deliverPolicy',
      'SPEC_WORKQUEUE_DELIVER_POLICY 11:9 queues.ORDERS.consumers.packer.deliver_policy',
      'SPEC_BACKOFF_TOO_LONG 13:9 queues.ORDERS.consumers.packer.backoff',
      'SPEC_UNKNOWN_KEY 14:9 queues.ORDERS.consumers.packer.sample',
    ]);
  });

  test.each([
    {
      name: 'is of the wrong kind',
      dlq: '{stream: {a: 1}, max_age: 1d}',
      want: 'SPEC_TYPE 6:19 queues.ORDERS.dlq.stream',
    },
    { name: 'is missing', dlq: '{max_age: 1d}', want: 'SPEC_MISSING 6:5 queues.ORDERS.dlq.stream' },
    { name: 'is empty', dlq: '{stream: , max_age: 1d}', want: 'SPEC_MISSING 6:11 queues.ORDERS.dlq.stream' },
  ])('judges the rest of a spec in which a name $name', async ({ dlq, want }) => {
    const text = `version: 1\nname: shop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n    dlq: ${dlq}\n    max_age: soon\n`;
    expect(told(await loadText(text))).toEqual([want, 'SPEC_TYPE 7:14 queues.ORDERS.max_age']);
  });

  test('names the item of a list that is wrong, and judges the others', async () => {
    const sources = '    sources: [{nam: x}, 7, {name: {}}, ]\n';
    const result = await loadText(BASE + sources);
    expect(told(result)).toEqual([
      'SPEC_UNKNOWN_KEY 7:16 queues.ORDERS.sources.0.nam',
      'SPEC_TYPE 7:25 queues.ORDERS.sources.1',
      'SPEC_TYPE 7:35 queues.ORDERS.sources.2.name',
    ]);
    expect(result.problems[1]!.message).toMatch(/^sources\[1\] must be a map with keys such as name, /);
  });

  test.each([
    [
      'first_seq: 9007199254740993',
      '`9007199254740993` is a number.',
      'first_seq must be a whole number from 0 to 9007199254740991',
    ],
    [
      'max_msgs: 9007199254740993',
      '`9007199254740993` is a number.',
      'max_msgs must be a whole number from 0 to 9007199254740991, or unlimited',
    ],
    ['first_seq: -1', '`-1` is a number.', 'first_seq must be a whole number of 0 or more'],
    ['max_msgs: 0.50', '`0.50` is a number.', 'max_msgs must be a whole number, or unlimited'],
  ])('quotes the digits of %s as they were typed', async (field, why, message) => {
    expect((await loadText(`${BASE}    ${field}\n`)).problems).toMatchObject([{ code: 'SPEC_TYPE', why, message }]);
  });

  test('requireSpec throws all problems as one error', async () => {
    const { io } = folder({ 'a.yaml': BASE.replace('7d', 'soon').replace('version', 'versoin') });
    await expect(requireSpec('a.yaml', io())).rejects.toMatchObject({
      code: 'SPEC_INVALID',
      exitCode: 65,
      problems: [{ code: 'SPEC_MISSING' }, { code: 'SPEC_UNKNOWN_KEY' }, { code: 'SPEC_TYPE' }],
    });
  });

  test('never prints a secret, wherever it went wrong', async () => {
    const secret = 'hunter2';
    const texts = [
      `connection: ${secret}`,
      `connection: {password: [${secret}]}`,
      `connection: {timeout: ${secret}, tls_first: ${secret}}`,
      `connection: {password: "\${PW:?}", timeout: "\${PW}"}`,
      `queues: {ORDERS: {max_age: "\${PW}", storage: "\${PW}", max_msgs: "\${PW}", subjects: "\${PW}"}}`,
      `connection: {pasword: ${secret}}`,
      `connection: {servers: "nats://me:${secret}@host"}`,
      `connection: {password: ${secret}`,
    ];
    for (const text of texts) {
      const { problems } = await loadText(`version: 1\nname: shop\n${text}\n`, { PW: secret });
      expect(problems.length).toBeGreaterThan(0);
      const shown = problems.map(({ mend: _, ...problem }) => problem);
      expect(JSON.stringify(shown)).not.toContain(secret);
    }
  });

  test('shares values through anchors, merge keys and x- keys', async () => {
    const { loaded, problems } = await loadText(
      'version: 1\nname: shop\nx-queue: &queue\n  max_age: 1d\n  num_replicas: 3\nqueues:\n  A:\n    <<: *queue\n    num_replicas: 1\n  B: *queue\n',
    );
    expect(problems).toEqual([]);
    expect(loaded?.spec.queues.A?.config).toMatchObject({ max_age: 86_400e9, num_replicas: 1 });
    expect(loaded?.spec.queues.B?.config).toMatchObject({ max_age: 86_400e9, num_replicas: 3 });
  });

  test('knows a bare consumer file of the nats CLI, says what the server refuses in it, and the way to a spec', async () => {
    const text = JSON.stringify(
      { durable_name: 'w', ack_policy: 'explicit', deliver_policy: 'new', backoff: [5e9] },
      null,
      2,
    );
    const { problems, loaded } = await loadText(text);
    expect(loaded).toBeUndefined();
    expect(problems).toMatchObject([
      { code: 'SPEC_FOREIGN', line: 1, hint: expect.stringContaining('osapi-ops convert') },
      {
        code: 'SPEC_WORKQUEUE_DELIVER_POLICY',
        line: 4,
        message: 'consumer w: deliver_policy new on a workqueue stream',
        why: expect.stringContaining('10101'),
        hint: expect.stringContaining('all'),
      },
    ]);
  });

  test('reads 500 queues (14,000 lines) in well under a second', async () => {
    const one = (i: number) => `  Q${i}:
    subjects: ["q${i}.a.*", "q${i}.b.>"]
    storage: file
    discard: new
    max_msgs: 1000
    max_bytes: 1GiB
    duplicate_window: 2m
    consumers:
      one:
        filter_subject: "q${i}.a.*"
        max_deliver: 10
        backoff: [5s, 10s, 15s]
      two:
        filter_subject: "q${i}.b.>"
        max_deliver: 10
        backoff: [5s, 10s, 15s]
    dlq:
      stream: q${i}_dlq
      max_age: 30d
    responses:
      bucket: r${i}
      ttl: 7d
`;
    const text = `version: 1\nname: big\nqueues:\n${Array.from({ length: 500 }, (_, i) => one(i)).join('')}`;
    const before = process.cpuUsage();
    const { problems, loaded } = await loadText(text);
    const { user, system } = process.cpuUsage(before);
    expect(problems).toEqual([]);
    expect(Object.keys(loaded?.spec.queues ?? {})).toHaveLength(500);
    // Processor time, not the clock's: other work on the machine does not count. Typical is 0.4 s.
    expect((user + system) / 1e6).toBeLessThan(2.5);
  });
});
