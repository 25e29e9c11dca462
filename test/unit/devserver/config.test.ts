import { expect, test } from '@jest/globals';
import { configText } from '../../../src/lib/devserver/config.ts';

test('every listener of a server is on loopback', () => {
  const text = configText({
    name: 'n1',
    port: 1,
    monitorPort: 2,
    store: '/data',
    cluster: { port: 3, routes: [3, 4, 5] },
  });
  expect(text.match(/\d+\.\d+\.\d+\.\d+:\d/g)).toEqual([
    '127.0.0.1:1',
    '127.0.0.1:2',
    '127.0.0.1:3',
    '127.0.0.1:3',
    '127.0.0.1:4',
    '127.0.0.1:5',
  ]);
});

test('JetStream is off where it has no store, and further lines are taken as they stand', () => {
  const text = configText({ name: 'n1', port: 1, monitorPort: 2, extra: 'authorization { token: "t" }' });
  expect(text).not.toContain('jetstream');
  expect(text).toContain('\nauthorization { token: "t" }\n');
});

test('a path with quotes and backslashes stays one string', () => {
  expect(configText({ name: 'n', port: 1, monitorPort: 2, store: 'C:\\a "b"' })).toContain('"C:\\\\a \\"b\\""');
});
