import { describe, expect, test } from '@jest/globals';
import {
  captorSubjects,
  capturesAll,
  capturesOf,
  deathSubjects,
  mayBeService,
  serves,
} from '../../../src/lib/facts/captures.ts';
import type { Config } from '../../../src/lib/model/json.ts';

describe('what a DLQ stream captures', () => {
  const MAX = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES';
  const told = (config: Parameters<typeof capturesOf>[0]) =>
    capturesOf(config).map(({ kind, queue }) => `${kind} ${queue ?? 'any'}`);
  test.each<{ name: string; config: Config; want: string[] }>([
    { name: 'nothing', config: {}, want: [] },
    { name: 'other subjects', config: { name: 'LOGS', subjects: ['logs.>'] }, want: [] },
    { name: 'one queue’s advisories', config: { subjects: [`${MAX}.Q.*`] }, want: ['advisory Q'] },
    {
      name: 'terminations',
      config: { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.w'] },
      want: ['advisory Q'],
    },
    { name: 'rejects', config: { subjects: ['osapi-ops.rejected.Q.*'] }, want: ['rejected Q'] },
    { name: 'any queue’s', config: { subjects: [`${MAX}.*.*`] }, want: ['advisory any'] },
    { name: 'any queue’s, by the rest', config: { subjects: [`${MAX}.>`] }, want: ['advisory any'] },
    {
      name: 'all of a consumer',
      config: { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.>'] },
      want: ['advisory any', 'advisory any'],
    },
    { name: 'everything', config: { subjects: ['>'] }, want: ['advisory any', 'advisory any', 'rejected any'] },
    {
      name: 'kinds by a wildcard, of one queue',
      config: { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.*.Q.*'] },
      want: ['advisory Q', 'advisory Q'],
    },
    { name: 'a mirror', config: { mirror: { filter_subject: `${MAX}.Q.*` } }, want: ['advisory Q'] },
    { name: 'a mirror of all', config: { mirror: { name: 'dlq' } }, want: [] },
    {
      name: 'a source',
      config: { sources: [{ filter_subject: `${MAX}.Q.*` }, 'x', { filter_subject: '' }] },
      want: ['advisory Q'],
    },
    {
      name: 'nats-dlq-service, in long words',
      config: { name: 'Q_DLQ', subjects: ['app.jobs.dlq.>'] },
      want: ['service any'],
    },
    {
      name: 'a stream whose name only holds that of nestjs',
      config: { name: 'q_dlq-stream2', subjects: ['q_dlq-stream2'] },
      want: [],
    },
    {
      name: 'wildcards before the queue',
      config: { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.*.w'] },
      want: ['advisory any'],
    },
    {
      name: 'a queue named behind any kind',
      config: { subjects: ['$JS.EVENT.*.CONSUMER.MAX_DELIVERIES.Q.>'] },
      want: ['advisory Q'],
    },
    { name: 'nats-dlq-service', config: { name: 'Q_DLQ', subjects: ['a.b.dlq.>'] }, want: ['service any'] },
    { name: 'its subject in another stream', config: { name: 'Q_DLQX', subjects: ['a.b.dlq.>'] }, want: [] },
    {
      name: 'its name with other subjects',
      config: { name: 'Q_DLQ', subjects: ['a.b.c.dlq.>', 'a.b.dlq.>.c', 'a.*.dlq.>'] },
      want: [],
    },
    { name: 'nestjs-jetstream', config: { name: 'q_dlq-stream', subjects: ['q_dlq-stream'] }, want: ['service any'] },
    { name: 'its name with another subject', config: { name: 'q_dlq-stream', subjects: ['q'] }, want: [] },
    { name: 'its subject in another stream, too', config: { name: 'q', subjects: ['q'] }, want: [] },
    { name: 'a name that is none', config: { name: 5, subjects: ['a.b.dlq.>'] }, want: [] },
  ])('$name', ({ config, want }) => {
    expect(told(config)).toEqual(want);
  });

  test('and is not sent itself, where it only copies', () => {
    const sources = [{ filter_subject: `${MAX}.Q.*` }];
    expect(capturesOf({ subjects: [`${MAX}.R.*`], sources }, true).map(({ queue }) => queue)).toEqual(['R']);
  });

  test('overlaps what servers are asked for: of some queues, of all', () => {
    expect(captorSubjects(['Q'])).toEqual([
      '$JS.EVENT.ADVISORY.CONSUMER.*.Q.*',
      'osapi-ops.rejected.Q.*',
      '*.*.dlq.>',
      '*',
    ]);
    expect(captorSubjects(undefined)[0]).toBe('$JS.EVENT.ADVISORY.CONSUMER.*.*.*');
  });

  test.each([
    ['Q_DLQ', true],
    ['q_dlq-stream', true],
    ['Q_DLQX', false],
    ['q_dlq-streams', false],
    ['q_dlq', false],
  ])('may be a service’s, by its name: %s is %s', (name, want) => {
    expect(mayBeService(name)).toBe(want);
  });

  test('of a queue is told on these subjects', () => {
    expect(deathSubjects('Q')).toEqual([
      `${MAX}.Q.*`,
      '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.*',
      'osapi-ops.rejected.Q.*',
    ]);
  });

  test.each<{ name: string; subjects: string[]; consumers: string[]; want: boolean }>([
    { name: 'nothing', subjects: [], consumers: [], want: false },
    { name: 'all of the queue', subjects: [`${MAX}.Q.*`], consumers: [], want: true },
    { name: 'all of every queue', subjects: ['a', `${MAX}.>`], consumers: ['v', 'w'], want: true },
    { name: 'another kind', subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.*'], consumers: [], want: false },
    { name: 'another queue', subjects: [`${MAX}.R.*`], consumers: [], want: false },
    { name: 'its one consumer', subjects: [`${MAX}.Q.w`], consumers: ['w'], want: true },
    { name: 'each of its two', subjects: [`${MAX}.Q.w`, `${MAX}.Q.v`], consumers: ['v', 'w'], want: true },
    { name: 'one of its two', subjects: [`${MAX}.Q.w`], consumers: ['v', 'w'], want: false },
    { name: 'one, where it has none', subjects: [`${MAX}.Q.w`], consumers: [], want: false },
  ])('is all of one kind where it lets in $name: $want', ({ subjects, consumers, want }) => {
    expect(capturesAll(subjects, 'max_deliveries', 'Q', consumers)).toBe(want);
  });

  test.each<{ config: Config; stored: string; want: string | undefined }>([
    { config: { subjects: [`${MAX}.Q.*`] }, stored: `${MAX}.Q.w`, want: 'Q' },
    { config: { subjects: [`${MAX}.>`] }, stored: `${MAX}.R.w`, want: 'R' },
    { config: { subjects: [`${MAX}.>`] }, stored: `${MAX}X.R.w`, want: undefined },
    { config: { name: 'Q_DLQ', subjects: ['a.b.dlq.>'] }, stored: 'a.b.dlq.x', want: undefined },
  ])('a stored subject names its queue: $stored', ({ config, stored: subject, want }) => {
    expect(capturesOf(config)[0]!.queueOf(subject)).toBe(want);
  });

  test.each<{ config: Config; want: boolean }>([
    { config: { subjects: [`${MAX}.Q.*`] }, want: true },
    { config: { subjects: [`${MAX}.R.*`] }, want: false },
    { config: { subjects: [`${MAX}.R.*`, `${MAX}.Q.*`] }, want: true },
    { config: { subjects: [`${MAX}.>`] }, want: true },
    { config: { name: 'Q_DLQ', subjects: ['a.b.dlq.>'] }, want: false },
    { config: {}, want: false },
  ])('$config is for Q: $want', ({ config, want }) => {
    expect(serves(capturesOf(config), 'Q')).toBe(want);
  });
});
