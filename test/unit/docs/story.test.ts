import { describe, expect, test } from '@jest/globals';
import { isAsShown, parseStory, retold } from '../../support/story.ts';

const text = `# A title

<!-- story: server=2.10 -->

\`\`\`yaml sub/osapi-ops.yaml
version: 1
\`\`\`

\`\`\`sh
not a session
\`\`\`

\`\`\`console
$ cat <<END
> one
> END
one
$ false
[exit 1]
\`\`\`
`;

describe('a story', () => {
  test('is its files and its sessions, in order', () => {
    expect(parseStory(text)).toEqual({
      title: 'A title',
      server: '2.10',
      scenes: [
        { kind: 'file', name: 'sub/osapi-ops.yaml', text: 'version: 1\n' },
        { kind: 'turn', command: 'cat <<END\none\nEND', expected: ['one'], exit: 0, from: 16, to: 17 },
        { kind: 'turn', command: 'false', expected: [], exit: 1, from: 18, to: 19 },
      ],
    });
  });

  test('that has output before any command, or a fence without an end, is refused', () => {
    expect(() => parseStory('```console\nhello\n```')).toThrow('line 2');
    expect(() => parseStory('```console\n$ true')).toThrow('no end');
  });

  test('is told anew where it came out otherwise, and kept to the letter where not', () => {
    const [first, second] = parseStory(text).scenes.flatMap((scene) => (scene.kind === 'turn' ? [scene] : []));
    const played = [
      { turn: first!, output: ['one'], exit: 0 },
      { turn: second!, output: ['at 127.0.0.1:40001'], exit: 3 },
    ];
    expect(retold(text, played)).toBe(text.replace('[exit 1]', 'at 127.0.0.1:4222\n[exit 3]'));
    expect(retold(text, [played[0]!])).toBe(text);
  });
});

describe('what was printed', () => {
  const cases: { name: string; expected: string[]; output: string[]; want: boolean }[] = [
    { name: 'nothing, and nothing shown', expected: [], output: [], want: true },
    { name: 'something, and nothing shown', expected: [], output: ['x'], want: false },
    { name: 'nothing, and something shown', expected: ['x'], output: [], want: false },
    { name: 'a line less', expected: ['x', 'y'], output: ['x'], want: false },
    { name: 'another word', expected: ['5 dead'], output: ['6 dead'], want: false },
    { name: 'what looks like a pattern', expected: ['a.c (1)'], output: ['abc (1)'], want: false },
    { name: 'an ellipsis in a line', expected: ['for …s, …'], output: ['for 12s, then'], want: true },
    { name: 'an ellipsis that must begin right', expected: ['for …s'], output: ['far 12s'], want: false },
    { name: 'lines left out', expected: ['a', '…', 'z'], output: ['a', 'b', 'c', 'z'], want: true },
    { name: 'no line left out', expected: ['a', '…', 'z'], output: ['a', 'z'], want: true },
    { name: 'lines left out and a wrong end', expected: ['a', '…', 'z'], output: ['a', 'b'], want: false },
    {
      name: 'another port, time, patch release, UUID',
      expected: ['nats://127.0.0.1:4222 2.15.1 2026-11-24T08:00:00Z 00000000-0000-0000-0000-000000000000'],
      output: ['nats://127.0.0.1:38111 2.15.2 2027-01-01T00:00:00.123Z 6fa459ea-ee8a-3ca4-894e-db77e160355e'],
      want: true,
    },
    { name: 'another minor release', expected: ['2.15.1'], output: ['2.12.8'], want: false },
  ];
  test.each(cases)('is as shown or not: $name', ({ expected, output, want }) => {
    expect(isAsShown(expected, output)).toBe(want);
  });
});
