import { describe, expect, test } from '@jest/globals';
import { type Fate, fateOf, needsNewStanding, responsible } from '../../../src/lib/dlq/fate.ts';
import { at, consumer, death, record, standing, stored } from './builders.ts';

const NOW = Date.parse(at(3600));
const original = stored();
const carried = stored({ payload: 'copy' });

describe('the fate of a dead message', () => {
  test.each([
    { name: 'stored and given up: replayable', want: 'replayable' },
    { name: 'of a stream that was made after the record', queue: { created: at(61) }, want: 'gone stream_recreated' },
    { name: 'whose sequence a newer message has', message: stored({ time: at(61) }), want: 'gone stream_recreated' },
    { name: 'that the consumer has not come to (again)', consumers: [consumer({ delivered: 6 })], want: 'alive' },
    {
      name: 'that a younger consumer of the name may have in flight',
      consumers: [consumer({ created: at(61), ackPending: 1 })],
      want: 'alive',
    },
    {
      name: 'that a younger consumer is done with',
      consumers: [consumer({ created: at(61), ackPending: 1, ackFloor: 7 })],
      want: 'replayable',
    },
    {
      name: 'that a younger consumer must have given up: nothing is in flight',
      consumers: [consumer({ created: at(61) })],
      want: 'replayable',
    },
    {
      name: 'whose consumer is gone, and another one waits to deliver it',
      consumers: [consumer({ name: 'next', created: at(61), delivered: 0, filters: ['requests.>'] })],
      want: 'alive',
    },
    {
      name: 'whose consumer is gone, and others are for other subjects',
      consumers: [consumer({ name: 'next', created: at(61), delivered: 0, filters: ['mail'] })],
      want: 'replayable untaken',
    },
    { name: 'that nobody delivers any more', consumers: [], want: 'replayable untaken' },
    {
      name: 'on a stream of limits, at another consumer than one that is behind',
      queue: { retention: 'limits' },
      consumers: [consumer(), consumer({ name: 'slow', delivered: 0 })],
      want: 'replayable',
    },
    {
      name: 'that its consumer, which takes its subject no more, delivered last',
      consumers: [consumer({ filters: ['requests.mail'], delivered: 7 })],
      want: 'replayable untaken',
    },
    {
      name: 'published in the moment of the last delivery of its consumer, which takes its subject no more',
      message: stored({ time: at(30) }),
      consumers: [consumer({ filters: ['requests.mail'], lastActive: at(30) })],
      want: 'replayable untaken',
    },
    {
      name: 'published after the last delivery of its consumer, which went past it',
      message: stored({ time: at(30.001) }),
      consumers: [consumer({ filters: ['requests.mail'], lastActive: at(30) })],
      want: 'alive',
    },
    {
      name: 'that its consumer, which does not take its subject, has not come to: no other does either',
      consumers: [
        consumer({ filters: ['requests.mail'], delivered: 6 }),
        consumer({ name: 'next', filters: ['requests.geo'] }),
      ],
      want: 'alive',
    },
    {
      name: 'the same, of a consumer made in the moment of the record',
      consumers: [consumer({ created: at(60), filters: ['requests.mail'], delivered: 6 })],
      want: 'alive',
    },
    {
      name: 'the same, of a younger consumer: the one before it may have delivered it',
      consumers: [consumer({ created: at(61), filters: ['requests.mail'], delivered: 6 })],
      want: 'replayable untaken',
    },
    {
      name: 'that its consumer has not come to, in a record that carries it',
      told: record({ kind: 'rejected', reason: 'max_deliveries' }),
      copy: stored(),
      consumers: [consumer({ filters: ['requests.mail'], delivered: 6 })],
      want: 'alive',
    },
    {
      name: 'that its consumer takes by the second of its filters',
      consumers: [consumer({ filters: ['requests.mail', 'requests.dns'] })],
      want: 'replayable',
    },
    {
      name: 'that its consumer does not take, and another one is done with',
      consumers: [consumer({ filters: ['requests.mail'] }), consumer({ name: 'next', filters: ['requests.dns'] })],
      want: 'replayable',
    },
    {
      name: 'that its consumer does not take, and another one has not come to',
      consumers: [
        consumer({ filters: ['requests.mail'] }),
        consumer({ name: 'next', filters: ['requests.dns'], delivered: 6 }),
      ],
      want: 'alive',
    },
    {
      name: 'on a stream of limits, of a consumer that is not there, and another has not come to it',
      queue: { retention: 'limits' },
      consumers: [consumer({ name: 'next', delivered: 6 })],
      want: 'alive',
    },
    {
      name: 'the same, in a record that carries it',
      queue: { retention: 'limits' },
      told: record({ kind: 'nestjs-jetstream' }),
      copy: stored(),
      consumers: [consumer({ name: 'next', delivered: 6 })],
      want: 'replayable untaken',
    },
    {
      name: 'on a stream of limits, of a consumer that is not there, and another has come to it',
      queue: { retention: 'limits' },
      consumers: [consumer({ name: 'next', delivered: 7 })],
      want: 'replayable untaken',
    },
    {
      name: 'on a stream of limits, of a consumer that is not there, and one for other subjects has not come to it',
      queue: { retention: 'limits' },
      consumers: [consumer({ name: 'next', delivered: 6, filters: ['requests.mail'] })],
      want: 'replayable untaken',
    },
    { name: 'not stored', message: undefined, want: 'gone acked_or_removed' },
    {
      name: 'not stored, for it was terminated',
      message: undefined,
      told: record({ reason: 'terminated' }),
      want: 'gone terminated',
    },
    {
      name: 'not stored, which the server found out while a worker had it',
      message: undefined,
      told: record({ reason: 'terminated', detail: 'Unacknowledged message was deleted' }),
      want: 'gone removed_in_flight',
    },
    {
      name: 'dropped by max_age while a worker had it',
      message: undefined,
      queue: { maxAge: 60e9 },
      told: record({ reason: 'terminated', detail: 'Message deleted by stream limits' }),
      want: 'gone expired',
    },
    { name: 'older than the stream keeps messages', message: undefined, queue: { maxAge: 60e9 }, want: 'gone expired' },
    { name: 'beyond the last sequence', message: undefined, queue: { lastSeq: 6 }, want: 'gone beyond_last_seq' },
    {
      name: 'beyond the last sequence of a stream made after the record',
      message: undefined,
      queue: { lastSeq: 6, created: at(61) },
      want: 'gone stream_recreated',
    },
    {
      name: 'of a stream that is not there',
      message: undefined,
      queue: { exists: false },
      want: 'gone stream_deleted',
    },
    {
      name: 'rejected, its request still in the hands of the worker',
      told: record({ kind: 'rejected', reason: 'rejected' }),
      copy: carried,
      consumers: [consumer({ ackPending: 1 })],
      want: 'alive',
    },
    {
      name: 'carried out after its last delivery, with others in flight',
      told: record({ kind: 'rejected', reason: 'max_deliveries' }),
      copy: carried,
      consumers: [consumer({ ackPending: 1 })],
      want: 'replayable',
    },
    {
      name: 'rejected in the millisecond it was published in, told in milliseconds',
      told: record({ kind: 'rejected', reason: 'rejected', time: '2026-01-02T03:00:00.500Z' }),
      message: stored({ time: '2026-01-02T03:00:00.500900000Z' }),
      copy: carried,
      consumers: [consumer({ ackPending: 1 })],
      want: 'alive',
    },
    {
      name: 'rejected and taken out: the copy is replayed',
      message: undefined,
      told: record({ kind: 'rejected', reason: 'rejected' }),
      copy: carried,
      want: 'replayable copy',
    },
    {
      name: 'rejected, its sequence used again: the copy is replayed, never the newer message',
      message: stored({ time: at(90) }),
      told: record({ kind: 'rejected', reason: 'rejected' }),
      copy: carried,
      want: 'replayable copy',
    },
    { name: 'recorded in the moment it was published', message: stored({ time: at(60) }), want: 'replayable' },
    { name: 'of a stream made in the moment of the record', queue: { created: at(60) }, want: 'replayable' },
    {
      name: 'not stored, of such a stream',
      message: undefined,
      queue: { created: at(60) },
      want: 'gone acked_or_removed',
    },
    {
      name: 'not stored, of a stream made later',
      message: undefined,
      queue: { created: at(61) },
      want: 'gone stream_recreated',
    },
    { name: 'that was delivered last', consumers: [consumer({ delivered: 7 })], want: 'replayable' },
    {
      name: 'of a consumer made in the moment of the record, with others in flight',
      consumers: [consumer({ created: at(60), ackPending: 1 })],
      want: 'replayable',
    },
    {
      name: 'of its own consumer, with others in flight',
      consumers: [consumer({ ackPending: 1 })],
      want: 'replayable',
    },
    {
      name: 'that another consumer of the same subjects may have in flight, older than the record',
      consumers: [consumer({ name: 'next', ackPending: 1 })],
      want: 'alive',
    },
    {
      name: 'under the ack floor of a younger consumer',
      consumers: [consumer({ created: at(61), ackPending: 1, ackFloor: 6 })],
      want: 'alive',
    },
    { name: 'the last of its stream', message: undefined, queue: { lastSeq: 7 }, want: 'gone acked_or_removed' },
    {
      name: 'as old as the stream keeps messages',
      message: undefined,
      queue: { maxAge: 3540e9 },
      want: 'gone acked_or_removed',
    },
    { name: 'a millisecond older', message: undefined, queue: { maxAge: 3539.999e9 }, want: 'gone expired' },
    { name: 'younger', message: undefined, queue: { maxAge: 3540.001e9 }, want: 'gone acked_or_removed' },
    {
      name: 'told in milliseconds by an advisory: that is what the server meant',
      told: record({ time: '2026-01-02T03:00:00.500Z' }),
      message: stored({ time: '2026-01-02T03:00:00.500900000Z' }),
      want: 'gone stream_recreated',
    },
    {
      name: 'rejected, the millisecond before it was published',
      told: record({ kind: 'rejected', time: '2026-01-02T03:00:00.500Z' }),
      message: stored({ time: '2026-01-02T03:00:00.501000000Z' }),
      want: 'gone stream_recreated',
    },
    {
      name: 'rejected at a time that is no time',
      told: record({ kind: 'rejected', time: '2026-01-02T03:00:00.500Z or so' }),
      message: stored({ time: at(0) }),
      copy: carried,
      want: 'replayable copy',
    },
    {
      name: 'carried by a record older than the stream that tells its time: the stream was restored',
      queue: { created: at(61) },
      copy: stored(),
      want: 'replayable',
    },
    {
      name: 'carried by a record older than the stream that tells another time: the stream was made anew',
      queue: { created: at(61) },
      copy: stored({ time: at(1) }),
      want: 'replayable copy',
    },
    {
      name: 'whose record does not tell its sequence: what is stored there is another',
      anonymous: true,
      copy: carried,
      want: 'replayable copy',
    },
  ])('$name', (each) => {
    const { want, queue = {}, told = record(), copy } = each;
    const message = 'message' in each ? each.message : original;
    const fate = fateOf(
      death({ record: told, ...(copy && { carried: copy }), ...(each.anonymous && { pointsAtOriginal: false }) }),
      message,
      standing({ ...queue, ...(each.consumers && { consumers: each.consumers }) }),
      NOW,
    );
    const words = [
      fate.fate,
      fate.fate === 'gone' ? fate.cause : '',
      fate.fate === 'replayable' && fate.message === copy ? 'copy' : '',
      fate.fate === 'replayable' && fate.untaken ? 'untaken' : '',
    ];
    expect(words.filter(Boolean).join(' ')).toBe(want);
  });
});

describe('the consumer that would deliver a message', () => {
  const [a, b] = [consumer({ name: 'a', filters: ['x.>'] }), consumer({ name: 'b', filters: ['y.>'] })];
  test.each([
    { name: 'the one named, where it is for it', named: 'a', subject: 'x.1', want: 'a' },
    { name: 'another, where the one named is for other subjects', named: 'b', subject: 'x.1', want: 'a' },
    { name: 'another, where the one named is not there', named: 'c', subject: 'y.1', want: 'b' },
    { name: 'none, where none is for it', named: 'a', subject: 'z', want: undefined },
    { name: 'the one named, on a stream of limits', named: 'b', subject: 'x.1', retention: 'limits', want: 'b' },
    { name: 'no other on a stream of limits', named: 'c', subject: 'x.1', retention: 'limits', want: undefined },
  ])('is $name', ({ named, subject, retention = 'workqueue', want }) => {
    expect(responsible(named, subject, standing({ retention, consumers: [a, b] }))?.name).toBe(want);
  });

  test('is the one named, of two for the same', () => {
    const both = [consumer({ name: 'first' }), consumer({ name: 'second' })];
    expect(responsible('second', 'x', standing({ consumers: both }))?.name).toBe('second');
  });
});

describe('a queue is looked at anew before a fate holds', () => {
  const alive: Fate = { fate: 'alive' };
  test.each<{ name: string; fate: Fate; readAt: number; want: boolean }>([
    { name: 'alive, and the queue was read before the originals', fate: alive, readAt: 5, want: true },
    { name: 'alive, and it was read with them', fate: alive, readAt: 6, want: false },
    { name: 'alive, and it was read after them', fate: alive, readAt: 7, want: false },
    { name: 'of a stream made anew', fate: { fate: 'gone', cause: 'stream_recreated' }, readAt: 5, want: true },
    { name: 'beyond the last', fate: { fate: 'gone', cause: 'beyond_last_seq' }, readAt: 5, want: true },
    {
      name: 'beyond the last, read with them',
      fate: { fate: 'gone', cause: 'beyond_last_seq' },
      readAt: 6,
      want: false,
    },
    {
      name: 'of a stream made anew, read with them',
      fate: { fate: 'gone', cause: 'stream_recreated' },
      readAt: 6,
      want: false,
    },
    { name: 'gone otherwise: it does not come back', fate: { fate: 'gone', cause: 'expired' }, readAt: 5, want: false },
    { name: 'dead and stored', fate: { fate: 'replayable', message: original }, readAt: 5, want: false },
  ])('$name: $want', ({ fate, readAt, want }) => {
    expect(needsNewStanding(fate, standing({ readAt }), 6)).toBe(want);
  });
});

test.each([
  { retention: 'limits', named: 'worker', filters: ['requests.dns'], untaken: undefined },
  { retention: 'limits', named: 'worker', filters: ['requests.mail'], untaken: true },
  { retention: 'limits', named: 'another', filters: ['requests.dns'], untaken: true },
  { retention: 'limits', named: '-', filters: ['requests.dns'], untaken: undefined },
  { retention: 'limits', named: '-', filters: ['requests.mail'], untaken: true },
  { retention: 'workqueue', named: 'another', filters: ['requests.dns'], untaken: undefined },
  { retention: 'workqueue', named: 'another', filters: ['requests.mail'], untaken: true },
])('of $retention, told of $named while worker takes $filters: $untaken', ({ retention, named, filters, untaken }) => {
  const told = death({ consumer: named, record: record({ kind: 'rejected' }), carried: stored() });
  const fate = fateOf(told, stored(), standing({ retention, consumers: [consumer({ filters })] }), NOW);
  expect(fate).toMatchObject({ fate: 'replayable', original: {} });
  expect((fate as { untaken?: true }).untaken).toBe(untaken);
});
