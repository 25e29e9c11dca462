import { describe, expect, test } from '@jest/globals';
import { parseAddress } from '../../../src/lib/operations/status/listen.ts';
import { parseGoals } from '../../../src/lib/operations/status/wait.ts';

describe('a goal to wait for', () => {
  test('is one of four, and another word is told so', () => {
    expect(parseGoals('synced, dlq-empty')).toEqual(['synced', 'dlq-empty']);
    expect(() => parseGoals('ready')).toThrow('"ready" is nothing to wait for');
    expect(() => parseGoals('')).toThrow('nothing to wait for');
  });
});

describe('an address to listen on', () => {
  test.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['9464', { host: '127.0.0.1', port: 9464 }],
    [':9464', { host: '127.0.0.1', port: 9464 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['metrics.local:80', { host: 'metrics.local', port: 80 }],
  ])('%s is read', (text, want) => {
    expect(parseAddress(text)).toEqual(want);
  });

  test.each(['', 'localhost', '127.0.0.1:99999', 'a:b:1'])('%j is told to be none', (text) => {
    expect(() => parseAddress(text)).toThrow('is not HOST:PORT');
  });
});
