import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { needing } from '../support/needing.ts';
import type { Need } from '../support/needs.ts';
import {
  asPlayed,
  isAsShown,
  needsNatsCli,
  parseStory,
  playStory,
  retold,
  STORY_MS,
  turnsOf,
} from '../support/story.ts';
import { warmProgram } from '../support/warm-program.ts';

// A bound for a story that hangs: the longest takes a minute on a machine with nothing else to do.
jest.setTimeout(STORY_MS + 60_000);

/** Writes what was printed into the documents instead of comparing: read the difference before committing it. */
const RETELL = process.env.RETELL === '1';

const stories = globSync(['test/scenarios/*.md', 'docs/**/*.md', 'examples/*/README.md'])
  .sort()
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
  .map(({ file, text }) => ({ file, text, story: parseStory(text) }))
  .filter(({ story }) => turnsOf(story).length > 0);

const needsOf = ({ story }: (typeof stories)[number]): Need[] => [
  ...(needsNatsCli(story) ? (['the nats CLI'] as const) : []),
  ...(/^\d/.test(story.server) ? ([`nats-server ${story.server}`] as const) : []),
];

const program = warmProgram(3);

describe('a story that is told comes true', () => {
  test('there are stories', () => expect(stories.length).toBeGreaterThan(5));

  for (const each of stories) {
    needing(...needsOf(each)).test.concurrent(`${each.story.title} (${each.file})`, async () => {
      const all = await playStory(each.story, {
        program,
        ...(each.file.startsWith('examples/') && { beside: dirname(each.file) }),
      });
      if (RETELL) {
        writeFileSync(each.file, retold(each.text, all));
        return;
      }
      for (const { turn, output, exit } of all) {
        if (exit === turn.exit && isAsShown(turn.expected, output)) continue;
        // The whole session up to here, so that the difference is read in its place.
        expect([`$ ${turn.command}`, ...asPlayed({ output, exit })]).toEqual([
          `$ ${turn.command}`,
          ...asPlayed({ output: turn.expected, exit: turn.exit }),
        ]);
        throw new Error(`${each.file}:${turn.from + 1}: differs in what varies`);
      }
    });
  }
});
