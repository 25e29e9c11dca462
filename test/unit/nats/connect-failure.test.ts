import { describe, expect, test } from '@jest/globals';
import { connectFailure } from '../../../src/lib/nats/errors.ts';
import { resolveSettings } from '../../../src/lib/nats/settings.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const hintsWith = (env: Record<string, string>): string => {
  const settings = resolveSettings({ flags: {}, env, contexts: { selected: undefined, read: () => ({}) } });
  return connectFailure(refused, settings).hints.join('; ');
};

describe('a server that does not listen', () => {
  test('that nobody named: says how to name one, and where to get one', () => {
    expect(hintsWith({})).toMatch(/NATS_URL.*osapi-ops dev/);
  });

  test('that somebody named: says to look there', () => {
    expect(hintsWith({ NATS_URL: 'nats://127.0.0.1:1' })).toMatch(/^check that nats-server runs there/);
  });
});
