import { expect, test } from '@jest/globals';
import { deathsOf } from '../../../src/lib/dlq/timeline.ts';
import type { DlqRecord } from '../../../src/lib/model/entry.ts';
import { at, record } from './builders.ts';

const server = record({ seq: 1 });
const rejected = record({ seq: 2, kind: 'rejected', reason: 'rejected' });
const terminated = record({ seq: 3, reason: 'terminated', time: at(61) });

test.each<[string, DlqRecord[], DlqRecord[]]>([
  ['of each reason and moment', [server, terminated], [server, terminated]],
  ['with what an import adds to it', [server, record({ seq: 4, kind: 'rejected' })], [server]],
  ['a moment later again', [server, record({ seq: 4, time: at(61) })], [server, record({ seq: 4, time: at(61) })]],
  ['that the server terminated for the worker that rejected it', [rejected, terminated], [rejected]],
  ['told by the server first', [terminated, rejected], [rejected]],
])('a death is told once: one %s', (_, records, told) => {
  expect(deathsOf(records)).toEqual(told);
});
