import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { playScene } from '../../scripts/pictures/play.ts';
import { SCENES } from '../../scripts/pictures/scenes.ts';
import { needing } from '../support/needing.ts';

const { test: drawn } = needing('a pseudo-terminal', 'nats-server 2.15');

/** The lines a reader sees. */
const shown = (svg: string): string[] =>
  [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, row]) =>
    row!.replace(/<\/tspan>/g, ' ').replace(/<[^>]+>/g, ''),
  );

describe('a picture of a terminal', () => {
  test('has a scene that draws it', () => {
    const drawnByUs = readdirSync('docs/pictures').filter((name) => name.endsWith('.svg'));
    expect(drawnByUs.sort()).toEqual(SCENES.map(({ name }) => `${name}.svg`).sort());
  });

  drawn.each(SCENES.map((scene) => [scene.name, scene] as const))(
    'shows what is printed today: %s; else: npm run pictures',
    async (name, scene) => {
      const [now, kept] = [await playScene(scene), readFileSync(`docs/pictures/${name}.svg`, 'utf8')];
      expect(shown(now)).toEqual(shown(kept));
      expect(now === kept).toBe(true);
    },
  );
});
