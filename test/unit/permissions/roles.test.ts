import { describe, expect, test } from '@jest/globals';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { lackingOf } from '../../../src/lib/permissions/lacking.ts';
import { permissionsFor } from '../../../src/lib/permissions/roles.ts';
import { HEALTH_DEFAULTS } from '../../../src/lib/spec/assemble.ts';
import { renderNsc, renderServerConfig } from '../../../src/lib/ui/render/permissions.ts';

const spec = (connection: Spec['connection'] = {}): Spec => ({
  version: 1,
  name: 'osapi',
  connection,
  queues: {
    REQUESTS: {
      config: { subjects: ['requests.*'] },
      consumers: { worker: {} },
      dlq: { stream: 'requests_dlq', capture: ['max_deliveries'], config: {} },
      responses: { bucket: 'responses', config: {} },
      health: HEALTH_DEFAULTS,
    },
  },
  streams: {},
  buckets: {},
});

describe('the permissions of a role', () => {
  test('of a client are its requests and their responses', () => {
    expect(permissionsFor(spec(), 'client')).toMatchObject({
      publish: ['$JS.API.DIRECT.GET.KV_responses.$KV.responses.>', 'requests.*', '$SYS.REQ.USER.INFO'],
      subscribe: ['_INBOX.>'],
    });
  });

  test('let a viewer change nothing', () => {
    const { publish } = permissionsFor(spec(), 'viewer');
    expect(publish.filter((subject) => /CREATE|UPDATE|DELETE|PURGE|PAUSE|ACK|^\$KV|^requests/.test(subject))).toEqual(
      [],
    );
  });

  test.each([
    ['viewer', false],
    ['applier', true],
    ['migrator', true],
    ['operator', false],
    ['worker', false],
    ['client', false],
  ] as const)('say of a %s whether it may change streams, and so do anything in their account: %s', (role, isTold) => {
    const { publish, notes } = permissionsFor(spec(), role);
    const changes = publish.filter((subject) => /\.STREAM\.(?:CREATE|UPDATE)\.(?!KV_osapi_ops$)/.test(subject));
    expect([changes.length > 0, notes.join().includes('This is no fence')]).toEqual([isTold, isTold]);
  });

  test.each(['viewer', 'applier', 'operator', 'worker', 'client'] as const)('let a %s delete no stream', (role) => {
    const { publish } = permissionsFor(spec(), role);
    expect(publish.filter((subject) => /STREAM\.DELETE|CONSUMER\.DELETE|SNAPSHOT|^>$/.test(subject))).toEqual([]);
  });

  test('let a migrator remove what it moves, its copy, and what it was called before: nothing else', () => {
    const moved = spec();
    const { REQUESTS } = moved.queues;
    const { publish } = permissionsFor(
      { ...moved, queues: { REQUESTS: { ...REQUESTS!, config: { ...REQUESTS!.config, moved_from: 'OLD' } } } },
      'migrator',
    );
    expect(publish.filter((subject) => subject.includes('STREAM.DELETE'))).toEqual(
      [
        'REQUESTS',
        'REQUESTS_moving',
        'OLD',
        'OLD_moving',
        'requests_dlq',
        'requests_dlq_moving',
        'KV_responses',
        'KV_responses_moving',
      ].map((name) => `$JS.API.STREAM.DELETE.${name}`),
    );
    expect(publish).toEqual(
      expect.arrayContaining([
        '$JS.API.STREAM.LIST',
        '$JS.API.CONSUMER.PAUSE.REQUESTS_moving.>',
        '$JS.API.CONSUMER.CREATE.OLD.>',
        'osapi-ops.moving.REQUESTS',
        'requests.*',
      ]),
    );
  });

  test('follow the domain and the inbox prefix of the spec', () => {
    const { publish, subscribe, notes } = permissionsFor(spec({ domain: 'hub', inbox_prefix: '_IN_v' }), 'viewer');
    expect(publish).toContain('$JS.hub.API.STREAM.INFO.REQUESTS');
    expect(publish.filter((subject) => subject.startsWith('$JS.API'))).toEqual([]);
    expect(subscribe).toEqual(['_IN_v.>']);
    expect(notes.join()).not.toContain('inbox');
  });

  test('are written for a shell so that nothing in them is expanded', () => {
    const text = renderNsc(permissionsFor(spec(), 'client'));
    expect(text).toContain(`--allow-pub '$JS.API.DIRECT.GET.KV_responses.$KV.responses.>'`);
    expect(renderServerConfig(permissionsFor(spec(), 'client'))).toContain('password: $OSAPI_CLIENT_PASSWORD');
  });
});

describe('what a user lacks', () => {
  const client = permissionsFor(spec(), 'client');
  const all = { deny: [] };
  test.each([
    { name: 'no permissions at all', has: { publish: all, subscribe: all }, want: [] },
    { name: 'a wider subject', has: { publish: { allow: ['>'], deny: [] }, subscribe: all }, want: [] },
    {
      name: 'a narrower subject',
      has: { publish: { allow: ['$JS.>', '$SYS.>', 'requests.dns'], deny: [] }, subscribe: all },
      want: ['publish requests.*'],
    },
    {
      name: 'a subject denied within',
      has: { publish: { deny: ['requests.secret'] }, subscribe: all },
      want: ['publish requests.*'],
    },
    {
      name: 'an inbox of its own only',
      has: { publish: all, subscribe: { allow: ['_INBOX.me.>'], deny: [] } },
      want: ['subscribe _INBOX.>'],
    },
  ])('with $name', ({ has, want }) => {
    expect(lackingOf(client, has)).toEqual(want);
  });
});
