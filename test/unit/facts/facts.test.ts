import { describe, expect, test } from '@jest/globals';
import { FIELDS, hasField, tableFor } from '../../../src/lib/facts/fields.ts';
import { subjectCovers, subjectsOverlap } from '../../../src/lib/facts/subjects.ts';
import { atLeast } from '../../../src/lib/facts/versions.ts';

test.each([
  { outer: 'a.*', inner: 'a.b', covers: true, overlaps: true },
  { outer: 'a.b', inner: 'a.*', covers: false, overlaps: true },
  { outer: 'a.>', inner: 'a', covers: false, overlaps: false },
  { outer: 'a.>', inner: 'a.b.c', covers: true, overlaps: true },
  { outer: '>', inner: 'a.>', covers: true, overlaps: true },
  { outer: 'a.*', inner: 'a.>', covers: false, overlaps: true },
  { outer: 'a.*.c', inner: '*.b.*', covers: false, overlaps: true },
  { outer: 'a.b', inner: 'a.b.c', covers: false, overlaps: false },
  { outer: 'a.b', inner: 'a.b', covers: true, overlaps: true },
])('$outer against $inner', ({ outer, inner, covers, overlaps }) => {
  expect([subjectCovers(outer, inner), subjectsOverlap(outer, inner), subjectsOverlap(inner, outer)]).toEqual([
    covers,
    overlaps,
    overlaps,
  ]);
});

describe('the tables', () => {
  test.each(Object.entries(FIELDS))('of a %s name each field once, with a sentence and a source', (_, fields) => {
    const names = fields.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(fields.filter(({ doc, source }) => !doc.endsWith('.') || source === '')).toEqual([]);
  });

  test('a field is there from its first version to its last', () => {
    const names = (version: string): string[] => tableFor(version).stream.map(({ name }) => name);
    expect(names('2.10.26')).toContain('template_owner');
    expect(names('2.12.8')).toContain('template_owner');
    expect(names('2.14.0')).not.toContain('template_owner');
    expect(names('2.13.0')).not.toContain('allow_batched');
    expect(names('2.14.0')).toContain('allow_batched');
    expect(hasField(FIELDS.consumer.find(({ name }) => name === 'pause_until')!, '2.10.26')).toBe(false);
  });

  test('so are the parts of a group', () => {
    const parts = (version: string): string[] => {
      const { type } = tableFor(version).bucket.find(({ name }) => name === 'placement')!;
      return 'fields' in type ? type.fields.map(({ name }) => name) : [];
    };
    expect(parts('2.10.26')).toEqual(['cluster', 'tags']);
    expect(parts('2.11.0')).toEqual(['cluster', 'tags', 'preferred']);
  });

  test('versions compare by number, not by letter', () => {
    expect([atLeast('2.9.0', '2.10.0'), atLeast('2.12.10', '2.12.9'), atLeast('v2.15.0-RC.1', '2.15.0')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
