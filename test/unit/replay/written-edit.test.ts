import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { transformOf, type WrittenEdit } from '../../../src/lib/replay/written-edit.ts';
import { entry, stored } from '../dlq/builders.ts';

const message = stored({ payload: 'old', headers: [{ name: 'A', value: '1' }] });
const one = entry({ inner: { ...entry().inner, message } });
const applied = async (edit: WrittenEdit) => {
  const edited = await transformOf(edit).apply(one, new AbortController().signal);
  return edited && { ...edited, payload: Buffer.from(edited.payload).toString('latin1') };
};

describe('an edit that is written down', () => {
  const same = { subject: 'requests.dns', headers: [{ name: 'A', value: '1' }], payload: 'old' };
  test.each<[string, WrittenEdit, object]>([
    ['nothing', {}, {}],
    ['a subject', { subject: 'requests.tls' }, { subject: 'requests.tls' }],
    [
      'headers',
      { headers: { B: ['2', '3'] } },
      {
        headers: [
          { name: 'B', value: '2' },
          { name: 'B', value: '3' },
        ],
      },
    ],
    ['a payload', { payload: 'new' }, { payload: 'new' }],
    ['no payload', { payload: '' }, { payload: '' }],
    ['bytes', { payload_base64: '/w==' }, { payload: '\u00ff' }],
    ['bytes rather than a text', { payload_base64: '/w==', payload: 'new' }, { payload: '\u00ff' }],
  ])('changes %s, and leaves the rest', async (_, edit, want) => {
    expect(await applied(edit)).toEqual({ ...same, ...want });
  });

  test('that no message can have is refused, with whose it is', async () => {
    await expect(applied({ subject: 'a b' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'REQUESTS/worker/7: the edit: its subject is none that a message can have',
      where: 'the edit',
      why: 'Nothing was moved.',
      hints: ['a subject without wildcards, headers with names and texts, a payload'],
    });
    await expect(applied({ headers: { 'a b': ['1'] } })).rejects.toMatchObject({
      message: 'REQUESTS/worker/7: "a b" is no name of a header',
    });
  });

  test('is journalled by what it says, and is never over', async () => {
    const edit = { payload: 'new' };
    const { file, digest, isOver, end } = transformOf(edit);
    expect({ file, digest, isOver }).toEqual({
      file: 'an edit',
      digest: `sha256:${createHash('sha256').update('{"payload":"new"}').digest('hex')}`,
      isOver: false,
    });
    expect(await end()).toBeUndefined();
  });
});
