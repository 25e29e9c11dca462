import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { withId } from '../../../src/lib/requests/body.ts';

const fresh = () => 'fresh-1';
const read = (text: string, id?: string) => withId(text, { fresh, where: 'here', ...(id !== undefined && { id }) });

function refusal(text: string, id?: string): OpsError {
  try {
    read(text, id);
  } catch (error) {
    if (error instanceof OpsError) return error;
  }
  throw new Error(`${text} was taken`);
}

describe('the payload of a request', () => {
  test.each([
    { name: 'gets a fresh id in front', text: '{"query":"a"}', want: '{"id":"fresh-1","query":"a"}', id: 'fresh-1' },
    { name: 'gets an id where it has no field', text: ' {} \n', want: '{"id":"fresh-1"}', id: 'fresh-1' },
    { name: 'gets the given id', text: '{"q":1}', given: 'x.1', want: '{"id":"x.1","q":1}', id: 'x.1' },
    { name: 'keeps its own id', text: '{"q":1, "id": "own"}', want: '{"q":1, "id": "own"}', id: 'own' },
    { name: 'takes its own id twice', text: '{"id":"own"}', given: 'own', want: '{"id":"own"}', id: 'own' },
    { name: 'keeps a number as id', text: '{"id":17}', want: '{"id":17}', id: '17' },
    {
      name: 'keeps a number of 64 bits as id',
      text: '{"id":12345678901234567891}',
      want: '{"id":12345678901234567891}',
      id: '12345678901234567891',
    },
    {
      name: 'keeps digits that JavaScript would round, and the order of fields',
      text: '{"b":12345678901234567890.10,"a":1e2}',
      want: '{"id":"fresh-1","b":12345678901234567890.10,"a":1e2}',
      id: 'fresh-1',
    },
    {
      name: 'finds the id of the object, not of one inside it',
      text: '{"inner":{"id":"no"}}',
      want: '{"id":"fresh-1","inner":{"id":"no"}}',
      id: 'fresh-1',
    },
  ])('$name', ({ text, given, want, id }) => {
    expect(read(text, given)).toEqual({ id, payload: want });
  });

  test.each([
    { name: 'no JSON', text: 'hello', says: 'not JSON' },
    { name: 'nothing', text: '', says: 'not JSON' },
    { name: 'a list', text: '[1]', says: 'no object' },
    { name: 'a text', text: '"x"', says: 'no object' },
    { name: 'two ids', text: '{"id":"a"}', given: 'b', says: '--id says b' },
    { name: 'an id that is no text', text: '{"id":{}}', says: 'neither a text nor' },
    { name: 'an id with a space', text: '{"id":"a b"}', says: 'cannot be the id' },
    { name: 'an id that is a wildcard', text: '{"id":">"}', says: 'cannot be the id' },
    { name: 'an id that ends in a dot', text: '{"id":"a."}', says: 'cannot be the id' },
  ])('is refused where it is or has $name', ({ text, given, says }) => {
    const error = refusal(text, given);
    expect({ code: error.code, exit: error.exitCode }).toEqual({ code: 'REQUEST_INVALID', exit: 64 });
    expect(error.message).toContain(says);
  });

  test('is, with its id, the same object as before', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (object, isPretty) => {
        const { id: _id, ...rest } = object;
        const text = JSON.stringify(rest, null, isPretty ? 2 : 0);
        const { id, ...others } = JSON.parse(read(text).payload);
        expect(id).toBe('fresh-1');
        expect(JSON.stringify(others)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});
