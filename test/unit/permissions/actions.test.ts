import { expect, test } from '@jest/globals';
import type { RoleName } from '../../../src/lib/model/permissions.ts';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { mayDo } from '../../../src/lib/permissions/actions.ts';
import { permissionsFor } from '../../../src/lib/permissions/roles.ts';
import { HEALTH_DEFAULTS } from '../../../src/lib/spec/assemble.ts';

const spec: Spec = {
  version: 1,
  name: 'osapi',
  connection: {},
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
};

const mayOf = (role: RoleName, others: readonly Spec[] = []) => {
  const { publish, subscribe } = permissionsFor(spec, role);
  return mayDo([spec, ...others], { publish: { allow: publish, deny: [] }, subscribe: { allow: subscribe, deny: [] } });
};

test.each([
  ['viewer', []],
  ['operator', ['replay', 'purge', 'import', 'pause', 'stop', 'cancel', 'send']],
  ['applier', ['stop', 'apply']],
  ['migrator', ['replay', 'purge', 'import', 'pause', 'stop', 'cancel', 'send', 'apply', 'move']],
  ['client', ['send']],
] as const)('the role %s may change what its role is for', (role, actions) => {
  const may = Object.entries(mayOf(role)).flatMap(([action, { allowed }]) => (allowed ? [action] : []));
  expect(may.filter((action) => action !== 'look' && action !== 'export')).toEqual(actions);
});

test('a system of others says nothing of what may be done in the own one, unless there is none', () => {
  const { REQUESTS } = spec.queues;
  const dlq = { ...REQUESTS!.dlq!, stream: 'invoices_dlq' };
  const other: Spec = { ...spec, name: 'billing', queues: { INVOICES: { ...REQUESTS!, dlq } } };
  expect(mayOf('operator', [other])).toEqual(mayOf('operator'));
  const { publish, subscribe } = permissionsFor(other, 'operator');
  const may = mayDo([spec], { publish: { allow: publish, deny: [] }, subscribe: { allow: subscribe, deny: [] } });
  expect(may.look.missing).toContain('$JS.API.STREAM.INFO.REQUESTS');
  expect(may.purge.missing).toContain('$JS.API.STREAM.MSG.DELETE.REQUESTS');
});

test('who may apply and not move is told what is missing', () => {
  const { missing } = mayOf('applier').move;
  expect(missing).toContain('$JS.API.STREAM.DELETE.REQUESTS_moving');
  expect(missing).toContain('osapi-ops.moving.REQUESTS');
});
