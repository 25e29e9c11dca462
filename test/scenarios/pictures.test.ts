import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, jest, test } from '@jest/globals';
import { playScene } from '../../scripts/pictures/play.ts';
import { SCENES } from '../../scripts/pictures/scenes.ts';
import { hasPty } from '../support/pty.ts';
import { availableVersions } from '../support/server.ts';

jest.setTimeout(90_000);

const canPlay = hasPty() && availableVersions().some((version) => version.startsWith('2.15'));
const drawn = canPlay ? test : test.skip;

describe('a picture of a terminal', () => {
  test('has a scene that draws it', () => {
    expect(readdirSync('docs/pictures').sort()).toEqual(SCENES.map(({ name }) => `${name}.svg`).sort());
  });

  drawn.each(SCENES.map((scene) => [scene.name, scene] as const))(
    'shows what is printed today: %s; else: npm run pictures',
    async (name, scene) => {
      expect((await playScene(scene)).split('\n')).toEqual(
        readFileSync(`docs/pictures/${name}.svg`, 'utf8').split('\n'),
      );
    },
  );
});
