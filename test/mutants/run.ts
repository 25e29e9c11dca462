// npm run mutants -- [--quick] [--changed BASE] [ROOM | FILE …]: puts small faults into the pure files of a room, one at a
// time, and looks whether the unit tests named for the room notice. Tells which live, and holds each room's floor.
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

interface Room {
  readonly floor: number;
  readonly files: readonly string[];
  /** Files that await nothing but what they are handed: no server, no system. */
  readonly handed?: readonly string[];
  /** Globs of test/unit. */
  readonly tests: readonly string[];
}
type Options = ConstructorParameters<typeof Stryker>[0];
type Result = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const rooms = JSON.parse(readFileSync('test/mutants/rooms.json', 'utf8')) as Record<string, Room>;
/** What awaits asks a server or the system: the tests on real servers hold it. */
const isPure = (file: string): boolean => !/\bawait\b/.test(readFileSync(file, 'utf8'));
const pureFiles = ({ files, handed = [] }: Room): string[] => [
  ...globSync([...files]).filter(isPure),
  ...globSync([...handed]),
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, changed: { type: 'string' } },
});

/** The files to look at, where not all of the rooms. */
function chosenFiles(): string[] {
  if (values.changed === undefined) return positionals;
  const range = `${values.changed}...HEAD`;
  return execFileSync('git', ['diff', '--name-only', '--diff-filter=d', range], { encoding: 'utf8' }).split('\n');
}

async function mutate(name: string, room: Room, files: readonly string[]): Promise<Result[]> {
  const tempDirName = mkdtempSync(join(tmpdir(), 'osapi-ops-mutants-'));
  mkdirSync('.cache/mutants', { recursive: true });
  try {
    return await new Stryker({
      mutate: [...files],
      plugins: ['runner.mjs', 'prose.mjs'].map((plugin) => join(process.cwd(), 'test/mutants', plugin)),
      ignorers: ['prose'],
      testRunner: 'in-process',
      tests: room.tests.map((glob) => `test/unit/${glob}`),
      testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      coverageAnalysis: 'perTest',
      checkers: [],
      // TypeScript 7 has no API in JavaScript; Stryker would want it to rewrite this file, where it finds one.
      tsconfigFile: 'none.json',
      concurrency: availableParallelism(),
      // A busy machine must not pass for a fault that was noticed.
      timeoutMS: 20_000,
      incremental: values.quick === true,
      incrementalFile: `.cache/mutants/${name.replace('/', '-')}.json`,
      ignorePatterns: ['.cache', '.bench', '.osapi-dev', 'dist*', 'tools', 'tarballs', 'bench', 'examples'],
      tempDirName,
      reporters: process.stdout.isTTY ? ['progress'] : [],
      logLevel: 'error' as Options['logLevel'],
      allowEmpty: true,
    }).runMutationTest();
  } finally {
    rmSync(tempDirName, { recursive: true, force: true });
  }
}

const count = (results: readonly Result[], ...statuses: string[]): number =>
  results.filter(({ status }) => statuses.includes(status)).length;

/** `file: what stood there → what stands there now`, as survivors.md has it. */
function nameOf({ fileName, location: { start, end }, replacement }: Result): string {
  const text = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  text[text.length - 1] = text.at(-1)!.slice(0, end.column - 1);
  text[0] = text[0]!.slice(start.column - 1);
  const short = (code: string): string => code.replace(/\s+/g, ' ').slice(0, 100);
  return `${relative('src/lib', fileName)}: ${short(text.join(' '))} → ${short(replacement)}`;
}

const placeOf = ({ fileName, location, status }: Result): string =>
  `${relative('.', fileName)}:${location.start.line}:${location.start.column}${status === 'NoCoverage' ? ' (no test comes here)' : ''}`;

/** Those of a list that another does not have; of equal ones each stands for one. */
function beyond<T>(list: readonly T[], other: readonly string[], textOf: (each: T) => string): T[] {
  const left = [...other];
  return list.filter((each) => {
    const at = left.indexOf(textOf(each));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** True where the room keeps to its floor. Tells what lives there without a reason. */
function judge(name: string, { floor }: Room, results: readonly Result[], isWhole: boolean): boolean {
  const killed = count(results, 'Killed', 'Timeout');
  const living = results.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  const looked = new Set(results.map(({ fileName }) => relative('src/lib', fileName)));
  const known = reasons.filter((line) => looked.has(line.split(': ')[0]!));
  living.sort((a, b) => a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line);
  const unexplained = beyond(living, known, nameOf);
  // Of some files those that live for a reason may be more than the room's share.
  const held = isWhole ? killed : killed + living.length - unexplained.length;
  const percent = living.length === 0 ? 100 : (100 * held) / (killed + living.length);
  for (const mutant of unexplained) console.log(`${placeOf(mutant)}\n  ${nameOf(mutant)}`);
  const gone = beyond(known, living.map(nameOf), (line) => line);
  for (const line of gone) console.log(`test/mutants/survivors.md: no longer lives: ${line}`);
  console.log(
    `mutants ${name}: ${killed} of ${killed + living.length} killed, ${percent.toFixed(1)} %; floor ${floor} %`,
  );
  if (isWhole && Math.floor(percent) > floor)
    console.log(`mutants ${name}: raise its floor in test/mutants/rooms.json to ${Math.floor(percent)}`);
  if (percent < floor) console.log(`mutants ${name}: below its floor: hold what lives by a table in test/unit`);
  return percent >= floor && gone.length === 0;
}

const reasons = readFileSync('test/mutants/survivors.md', 'utf8')
  .split('\n')
  .flatMap((line) => /^- `(.*)`(?: \(.*\))?$/.exec(line)?.[1] ?? []);
const chosen = chosenFiles();
const isAll = values.changed === undefined && chosen.length === 0;
const strange = positionals.filter(
  (each) => !(each in rooms) && !Object.values(rooms).some((room) => pureFiles(room).includes(each)),
);
if (strange.length > 0) {
  console.error(
    `mutants: ${strange.join(', ')}: neither a room (${Object.keys(rooms).join(' ')}) nor a pure file of one`,
  );
  process.exit(64);
}
let failed = 0;
for (const [name, room] of Object.entries(rooms)) {
  const isWhole = isAll || positionals.includes(name);
  const files = pureFiles(room).filter((file) => isWhole || chosen.includes(file));
  if (files.length === 0) continue;
  process.stderr.write(`mutants: ${name}, ${files.length} file${files.length === 1 ? '' : 's'} …\n`);
  if (!judge(name, room, await mutate(name, room, files), isWhole)) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
