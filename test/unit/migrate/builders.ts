import type { Config } from '../../../src/lib/model/json.ts';
import type { Migration, MovedConsumer } from '../../../src/lib/model/migration.ts';

export const MADE = '2026-01-01T00:00:00Z';

const stream: Config = { name: 'Q', subjects: ['q.*'], storage: 'memory', retention: 'workqueue', discard: 'new' };

export const consumer = (fields: Partial<MovedConsumer> = {}): MovedConsumer => ({
  from: 'w',
  to: 'w',
  created: MADE,
  before: { durable_name: 'w', ack_wait: 30e9 },
  after: { durable_name: 'w', ack_wait: 30e9 },
  ...fields,
});

/** A queue whose storage changes: by two hops. */
export const migration = (fields: Partial<Migration> = {}): Migration => ({
  format: 1,
  kind: 'stream',
  name: 'Q',
  from: 'Q',
  fields: ['storage'],
  hops: [
    { from: 'Q', to: 'Q_moving' },
    { from: 'Q_moving', to: 'Q' },
  ],
  created: MADE,
  before: { ...stream, duplicate_window: 120e9 },
  after: { ...stream, storage: 'file', duplicate_window: 60e9, max_msgs: 10 },
  consumers: [consumer()],
  dlqs: [{ stream: 'dlq', subjects: [] }],
  ...fields,
});

/** The same under another name: by one hop. */
export const renaming = (fields: Partial<Migration> = {}): Migration =>
  migration({ name: 'N', hops: [{ from: 'Q', to: 'N' }], fields: ['name'], ...fields });
