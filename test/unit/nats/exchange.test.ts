import { expect, test } from '@jest/globals';
import { readJson } from '../../../src/lib/nats/exchange.ts';

const read = (text: string) => readJson('S', { data: Buffer.from(text) });

test.each<[string, string]>([
  ['{"stream":"a\\u001bb\\\\a"}', 'a\x1bb\\a'],
  ['{"stream":"ctl\\a\\x1b[31m\\v\\\\a\\"\\n"}', 'ctl\x07\x1b[31m\v\\a"\n'],
  ['{"stream":"\\U000e0001\\x07"}', '\u{e0001}\x07'],
])('the name in an answer is read as the server wrote it: %s', (text, stream) => {
  expect(read(text)).toEqual({ stream });
});

test.each(['{"stream":"\\U00110000"}', '{"stream":"\\xz"}', '{"stream":"\\a', 'a', ''])('%s is no answer', (text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'SERVER_REFUSED' }));
});
