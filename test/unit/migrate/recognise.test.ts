import { describe, expect, test } from '@jest/globals';
import { canUndo, type Found, isCopyLost, isOurs, recognise, strangersIn } from '../../../src/lib/migrate/recognise.ts';
import { MIGRATION_STEPS, type MigrationStep } from '../../../src/lib/model/migration.ts';
import { consumer, MADE, migration, renaming } from './builders.ts';

const LATER = '2026-01-02T00:00:00Z';
const old = { created: MADE, parked: false };
const oldParked = { created: MADE, parked: true };
const open = { created: LATER, parked: false };
const parked = { created: LATER, parked: true };
const mirrorOf = (name: string) => ({ created: LATER, parked: false, mirrorOf: name });
const made = { Q_moving: LATER, Q: LATER, N: LATER };

describe('the step of a stream that keeps its name', () => {
  const table: [string, Found, MigrationStep | undefined][] = [
    ['nothing is done', { from: old }, 'intended'],
    ['a copy reads along', { from: old, to: mirrorOf('Q') }, 'copying'],
    ['the old one is closed', { from: oldParked, to: mirrorOf('Q') }, 'parked'],
    ['the copy went', { from: oldParked }, 'parked'],
    ['ids are told to the copy', { from: oldParked, to: parked }, 'parked'],
    ['the copy is open', { from: oldParked, to: open }, 'promoted'],
    ['the old one went', { to: open }, 'dropped'],
    ['the way back begins', { from: mirrorOf('Q_moving'), to: open }, 'recopying'],
    ['the copy is closed', { from: mirrorOf('Q_moving'), to: parked }, 'reparked'],
    ['ids are told to the new one', { from: parked, to: parked }, 'reparked'],
    ['the new one is open', { from: open, to: parked }, 'repromoted'],
    ['the new one is open, and the copy too', { from: open, to: open }, undefined],
    ['the new one is open, and the copy a mirror', { from: open, to: mirrorOf('Q') }, undefined],
    ['the copy went at the end', { from: open }, 'done'],
    ['nothing is there', {}, undefined],
    ['a mirror of another has the copy’s name', { from: old, to: mirrorOf('X') }, undefined],
    ['a parked stream has the copy’s name, the old one is open', { from: old, to: parked }, undefined],
    ['the new one is a mirror of another', { from: mirrorOf('X'), to: open }, undefined],
    ['a mirror without its stream', { from: mirrorOf('Q_moving') }, undefined],
    ['the copy is a mirror, and the old one went', { to: mirrorOf('Q') }, undefined],
    ['the new one is closed, and the copy open', { from: parked, to: open }, undefined],
  ];
  test.each(table)('%s', (_what, found, step) => {
    expect(recognise(migration(), found, made)).toBe(step);
  });
});

describe('the step of a stream that gets another name', () => {
  const table: [string, Found, MigrationStep | undefined][] = [
    ['nothing is done', { from: old }, 'intended'],
    ['a copy reads along', { from: old, to: mirrorOf('Q') }, 'copying'],
    ['the old one is closed', { from: oldParked, to: mirrorOf('Q') }, 'parked'],
    ['the new one is open', { from: oldParked, to: open }, 'promoted'],
    ['the old one went', { to: open }, 'done'],
    ['the old one went, and the new one is closed', { to: parked }, undefined],
    ['another stream has the old name', { from: open, to: open }, undefined],
  ];
  test.each(table)('%s', (_what, found, step) => {
    expect(recognise(renaming(), found, made)).toBe(step);
  });
});

describe('a stream that somebody else made under one of the names', () => {
  const other = '2026-01-03T00:00:00Z';
  const anew = <T extends object>(found: T): T & { created: string } => ({ ...found, created: other });
  const table: [string, Found, string[]][] = [
    ['the copy, a mirror', { from: old, to: anew(mirrorOf('Q')) }, ['Q_moving']],
    ['the copy in the gap', { from: oldParked, to: anew(mirrorOf('Q')) }, ['Q_moving']],
    ['the copy that is told ids', { from: oldParked, to: anew(parked) }, ['Q_moving']],
    ['the copy that is open', { from: oldParked, to: anew(open) }, ['Q_moving']],
    ['the copy alone', { to: anew(open) }, ['Q_moving']],
    ['the old one', { from: anew(old), to: mirrorOf('Q') }, ['Q']],
    ['the old one, beside the open copy', { from: anew(old), to: open }, ['Q']],
    ['the new one, a mirror', { from: anew(mirrorOf('Q_moving')), to: open }, ['Q']],
    ['the new one in the gap', { from: anew(mirrorOf('Q_moving')), to: parked }, ['Q']],
    ['the new one that is open, beside the closed copy', { from: anew(open), to: parked }, ['Q']],
    ['the closed copy beside the new one', { from: open, to: anew(parked) }, ['Q_moving']],
    ['the new one at the end', { from: anew(open) }, ['Q']],
    ['both', { from: anew(open), to: anew(parked) }, ['Q', 'Q_moving']],
  ];
  test.each(table)('is named, and nothing goes on beside it: %s', (_what, found, names) => {
    expect([strangersIn(migration(), found, made), recognise(migration(), found, made)]).toEqual([names, undefined]);
  });

  test('stops nobody who has not begun', () => {
    expect(recognise(migration(), { from: old, to: anew(mirrorOf('Q')) }, {})).toBe('intended');
    expect(recognise(migration(), { from: oldParked, to: anew(mirrorOf('Q')) }, {})).toBeUndefined();
  });

  const written: [string, string, Record<string, string>, { created: string; label?: string }, boolean][] = [
    ['that is moved', 'Q', {}, { created: MADE }, true],
    ['of another name, of the same age', 'Q_moving', {}, { created: MADE }, false],
    ['that is written down', 'Q_moving', made, { created: LATER }, true],
    [
      'that has the label, and is not the one that is written down',
      'Q_moving',
      made,
      { created: other, label: MADE },
      false,
    ],
    ['that has the label, and nothing is written down', 'Q_moving', {}, { created: LATER, label: MADE }, true],
    ['that has the label of another', 'Q_moving', {}, { created: LATER, label: other }, false],
    ['without a label', 'Q_moving', {}, { created: LATER }, false],
    ['of a name that objects have', 'constructor', {}, { created: LATER }, false],
  ];
  test.each(written)('is told from the one %s', (_what, name, known, found, is) => {
    expect(isOurs(migration(), known, name, found)).toBe(is);
  });

  const lost: [string, Found, Record<string, string>, boolean][] = [
    ['was made, and is gone', { from: old }, made, true],
    ['was made, and is gone from the gap', { from: oldParked }, made, true],
    ['was not made yet', { from: old }, {}, false],
    ['is there', { from: old, to: mirrorOf('Q') }, made, false],
    ['is gone at the end', { from: open }, made, false],
  ];
  test.each(lost)('a copy that %s', (_what, found, known, is) => {
    expect(isCopyLost(migration(), found, known)).toBe(is);
  });
});

describe('the step of a consumer', () => {
  const was = { created: MADE, paused: false };
  const made = { created: LATER, paused: true };
  const works = { created: LATER, paused: false };
  const same = migration({ kind: 'consumer', hops: [], from: 'Q/w', name: 'Q/w' });
  const other = migration({ ...same, name: 'Q/v', consumers: [consumer({ to: 'v' })] });
  const table: [string, boolean, Found, MigrationStep | undefined][] = [
    ['the old one is there', false, { from: old, oldConsumer: was }, 'intended'],
    ['the old one is paused', false, { from: old, oldConsumer: { ...was, paused: true } }, 'intended'],
    ['none is there', false, { from: old }, 'removed'],
    ['the new one is paused', false, { from: old, oldConsumer: made }, 'made'],
    ['the new one works', false, { from: old, oldConsumer: works }, 'done'],
    ['the stream is another', false, { from: open, oldConsumer: was }, undefined],
    ['there is no stream', false, {}, undefined],
    ['of another name: the old one is there', true, { from: old, oldConsumer: was, newConsumer: works }, 'intended'],
    ['of another name: none is there', true, { from: old }, 'removed'],
    ['of another name: the new one is paused', true, { from: old, newConsumer: made }, 'made'],
    ['of another name: the new one works', true, { from: old, newConsumer: works }, 'done'],
  ];
  test.each(table)('%s', (_what, isRenamed, found, step) => {
    expect(recognise(isRenamed ? other : same, found, {})).toBe(step);
  });
});

test('the way back is open until subjects have moved, of a consumer until the old one is gone', () => {
  const undone = (kind: 'stream' | 'consumer') => MIGRATION_STEPS.filter((step) => canUndo(migration({ kind }), step));
  expect(undone('stream')).toEqual(['intended', 'copying', 'parked']);
  expect(undone('consumer')).toEqual(['intended']);
});
