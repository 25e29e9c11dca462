import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hitAt, type MovingReport, STEPS_OF, WAYS, type Way } from './moving.ts';

/** What was played of moves, where. */
export interface Moves extends MovingReport {
  readonly version: string;
  readonly nodes: number;
}

const PAGE = 'docs/explanation/migration.md';
const [BEGIN, END] = ['<!-- moves: npm run test:chaos -- --figures FILE -->\n', '<!-- /moves -->\n'];

const placeOf = ({ version, nodes }: Moves): string =>
  `${version.split('.').slice(0, 2).join('.')}, ${nodes === 1 ? 'one node' : 'three replicas'}`;

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row).join('');

/** What moves came to, and at which step how often somebody was killed. */
export function renderMoves(all: readonly Moves[]): string {
  const places = [...Map.groupBy(all, placeOf)].sort(([a], [b]) => a.localeCompare(b));
  const sum = (some: readonly Moves[], of: (one: Moves) => number) => some.reduce((total, one) => total + of(one), 0);
  const counts = [
    (one: Moves) => one.kills,
    (one: Moves) => one.serverKills,
    (one: Moves) => one.moves,
    (one: Moves) => one.undone,
    (one: Moves) => one.accepted,
    (one: Moves) => one.dead,
    (one: Moves) => one.again ?? 0,
    (one: Moves) => one.unknown ?? 0,
    (one: Moves) => one.faults.length,
  ];
  const figures = table(
    [
      '',
      'kills',
      'of them a server',
      'moves',
      'taken back',
      'accepted',
      'dead at the end',
      'given again by a killed server',
      'answered, kept as unknown',
      'lost, doubled',
    ],
    [...places, ...(places.length > 1 ? [['all', all] as const] : [])].map(([place, some]) => [
      place,
      ...counts.map((of) => sum(some, of).toLocaleString('en-US')),
    ]),
  );
  const hits = (some: readonly Moves[], at: string) =>
    `${sum(some, ({ client }) => client[at] ?? 0)} + ${sum(some, ({ server }) => server[at] ?? 0)}`;
  const steps = table(
    ['what is moved', 'killed at', ...places.map(([place]) => place)],
    WAYS.flatMap((way) =>
      [...STEPS_OF[way], 'undo'].map((step, index) => [
        index === 0 ? WORDS[way] : '',
        step === 'undo' ? 'on the way back' : `\`${step}\``,
        ...places.map(([, some]) => hits(some, hitAt(way, step))),
      ]),
    ),
  );
  return `${figures}\nOf each step how often whoever moved, and a server, was killed at it:\n\n${steps}`;
}

const WORDS: Readonly<Record<Way, string>> = {
  storage: 'the storage of a queue',
  rename: 'a queue to another name',
  consumer: 'a consumer to another name',
  bucket: 'the storage of a bucket',
  'named bucket': 'a bucket to another name',
  retention: 'the retention of a queue',
};

/** What was kept, a line each; nothing where there is no such file yet. */
export const readMoves = (file: string): Moves[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Moves)
    : [];

/** Keeps the figures of a file of reports, a line each, in the page that tells of moves. */
export function writeMoves(file: string): void {
  const text = renderMoves(readMoves(file));
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  writeFileSync(PAGE, `${page.slice(0, from)}${text}${page.slice(to)}`);
}
