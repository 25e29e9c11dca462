import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processIdentity } from '../../../src/lib/devserver/identity.ts';
import {
  claim,
  findProject,
  isAlive,
  readDevState,
  removeState,
  writeState,
} from '../../../src/lib/devserver/state.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-state-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the folder of a development server', () => {
  test('is taken once, and free again when it is given back', () => {
    expect(claim(dir)).toBeUndefined();
    expect(claim(dir)).toMatchObject({ pid: process.pid });
    removeState(dir);
    expect(claim(dir)).toBeUndefined();
  });

  test('is free where the one who had it is gone, even when its pid was given away', () => {
    writeFileSync(join(dir, 'state.json'), JSON.stringify({ pid: process.pid, identity: 'another life' }));
    expect(claim(dir)).toBeUndefined();
    expect(isAlive(readDevState(dir)!)).toBe(true);
  });

  test('is not free while a server of the one who is gone still runs', () => {
    const servers = { [process.pid]: processIdentity(process.pid) };
    writeFileSync(join(dir, 'state.json'), JSON.stringify({ pid: 999_999_999, identity: 'gone', servers }));
    expect(claim(dir)).toMatchObject({ pid: 999_999_999 });
  });

  test('a state file that was cut off counts as none', () => {
    writeFileSync(join(dir, 'state.json'), '{"pid": 12');
    expect(claim(dir)).toBeUndefined();
  });

  test('what is written later adds to what is there', () => {
    claim(dir);
    writeState(dir, { servers: { 1: 'a' } });
    expect(readDevState(dir)).toMatchObject({ pid: process.pid, servers: { 1: 'a' } });
  });
});

test('the project is the nearest folder with a development server, else with a spec or a repository', () => {
  const deep = join(dir, 'repo', 'a', 'b');
  mkdirSync(deep, { recursive: true });
  mkdirSync(join(dir, 'repo', '.git'));
  expect(findProject(deep)).toBe(join(dir, 'repo'));
  mkdirSync(join(dir, 'repo', 'a', '.osapi-dev'));
  expect(findProject(deep)).toBe(join(dir, 'repo', 'a'));
});

test('a process is known by more than its pid, and one that is gone by nothing', () => {
  expect(processIdentity(process.pid)).toBe(processIdentity(process.pid));
  // The first process of all: a parent may have started in the same clock tick of 10 ms as its child.
  expect(processIdentity(process.pid)).not.toBe(processIdentity(1));
  expect(processIdentity(999_999_999)).toBeUndefined();
  expect(processIdentity(0)).toBeUndefined();
});
