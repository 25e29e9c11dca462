// Stories are Markdown: prose, files and terminal sessions, read by people and carried out by the tests.
//
//   ```yaml osapi-ops.yaml      a fence with a name after its language becomes that file
//   ```console                  a session: `$ ` a command, `> ` more of it, then what it prints; `[exit 2]` where it
//                               does not end with 0. `…` stands for anything in a line, alone for any lines
//   <!-- story: server=2.10 --> another server than the newest; `server=none` for none at all
//
// All commands of a story run in one shell, stdout and stderr as a terminal would show them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnv, ROOT } from './cli.ts';
import { findNatsCli } from './nats-cli.ts';
import { startServer } from './server.ts';

export interface Turn {
  readonly command: string;
  readonly expected: readonly string[];
  readonly exit: number;
  /** Lines of the document that hold what is expected: from the first to before the last, from 0. */
  readonly from: number;
  readonly to: number;
}

export type Scene = { readonly kind: 'file'; readonly name: string; readonly text: string } | ({ kind: 'turn' } & Turn);

export interface Story {
  readonly title: string;
  readonly server: string;
  readonly scenes: readonly Scene[];
}

export interface Played {
  readonly turn: Turn;
  readonly output: readonly string[];
  readonly exit: number;
}

export const turnsOf = ({ scenes }: Story): Turn[] => scenes.flatMap((scene) => (scene.kind === 'turn' ? [scene] : []));

/** Reads a document; one without sessions gives no turns. */
export function parseStory(text: string): Story {
  const lines = text.split('\n');
  const scenes: Scene[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(`{3,})(\w+)(?: (\S+))?\s*$/.exec(lines[at]!);
    if (!fence) continue;
    const end = lines.indexOf(fence[1]!, at + 1);
    if (end < 0) throw new Error(`the fence of line ${at + 1} has no end`);
    const [, , language, name] = fence;
    if (language === 'console') scenes.push(...parseSession(lines, at + 1, end));
    else if (name) scenes.push({ kind: 'file', name, text: `${lines.slice(at + 1, end).join('\n')}\n` });
    at = end;
  }
  return {
    title: lines.find((line) => line.startsWith('# '))?.slice(2) ?? 'without a title',
    server: /<!-- story: server=(\S+) -->/.exec(text)?.[1] ?? '',
    scenes,
  };
}

function parseSession(lines: readonly string[], start: number, end: number): Scene[] {
  const scenes: Scene[] = [];
  for (let at = start; at < end; ) {
    if (!lines[at]!.startsWith('$ ')) throw new Error(`line ${at + 1} is neither a command nor what one prints`);
    const command = [lines[at++]!.slice(2)];
    while (at < end && lines[at]!.startsWith('> ')) command.push(lines[at++]!.slice(2));
    const from = at;
    while (at < end && !lines[at]!.startsWith('$ ')) at++;
    const shown = lines.slice(from, at);
    const code = /^\[exit (\d+)\]$/.exec(shown.at(-1) ?? '');
    const expected = code ? shown.slice(0, -1) : shown;
    scenes.push({ kind: 'turn', command: command.join('\n'), expected, exit: Number(code?.[1] ?? 0), from, to: at });
  }
  return scenes;
}

export const needsNatsCli = (story: Story): boolean =>
  turnsOf(story).some(({ command }) => /(^|[\s(|])nats /.test(command));

/**
 * Carries a story out against a server of its own, in a directory of its own that begins as a copy of `beside`.
 * @param program writes the `osapi-ops` that it types
 */
export async function playStory(
  story: Story,
  { program, beside }: { program: (file: string) => void; beside?: string },
): Promise<readonly Played[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-story-'));
  const stage = join(dir, 'stage');
  const work = join(dir, 'queue');
  mkdirSync(stage);
  mkdirSync(work);
  for (const part of ['config', 'schemas']) cpSync(join(ROOT, part), join(work, part), { recursive: true });
  if (beside !== undefined) cpSync(beside, work, { recursive: true });
  const server = story.server === 'none' ? undefined : await startServer({ version: story.server || undefined });
  try {
    const env = {
      PATH: [programs(dir, program), cleanEnv().PATH].join(':'),
      HOME: dir,
      NATS_TIMEOUT: '30s',
      XDG_CONFIG_HOME: join(dir, '.config'),
    };
    writeFileSync(join(stage, 'story.sh'), scriptOf(story, stage));
    const options = { cwd: work, env: cleanEnv({ ...(server ? { server } : {}), env }), stdio: 'ignore' as const };
    await ended(spawn('bash', [join(stage, 'story.sh')], options));
    return story.scenes.flatMap((scene, index) => (scene.kind === 'turn' ? [played(scene, stage, index, work)] : []));
  } finally {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A directory for PATH with the CLI, and the nats CLI where there is one. */
function programs(dir: string, program: (file: string) => void): string {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  program(join(bin, 'osapi-ops'));
  const nats = findNatsCli();
  if (nats && nats.path !== 'nats') symlinkSync(nats.path, join(bin, 'nats'));
  return bin;
}

/** Every command is read from a file of its own, in one shell, so that what one sets the next one sees. */
function scriptOf({ scenes }: Story, stage: string): string {
  return scenes
    .map((scene, index) => {
      const file = join(stage, String(index));
      if (scene.kind === 'file') {
        writeFileSync(file, scene.text);
        return `mkdir -p "$(dirname '${scene.name}')" && cp '${file}' '${scene.name}'`;
      }
      writeFileSync(`${file}.sh`, `${scene.command}\n`);
      return `. '${file}.sh' > '${file}.out' 2>&1 < /dev/null; echo $? > '${file}.code'`;
    })
    .join('\n');
}

/** Milliseconds after which a story hangs. */
export const STORY_MS = 540_000;

async function ended(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STORY_MS);
  const [, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (signal !== null) throw new Error(`the story did not end within ${STORY_MS} ms`);
}

function played(turn: Turn, stage: string, index: number, work: string): Played {
  const read = (name: string): string => {
    try {
      return readFileSync(join(stage, `${index}.${name}`), 'utf8');
    } catch {
      return '';
    }
  };
  const text = read('out').replaceAll(work, '~/queue').replaceAll(join(work, '..'), '~').trimEnd();
  const output = text === '' ? [] : text.split('\n').map((line) => line.trimEnd());
  return { turn, output, exit: Number(read('code') || -1) };
}

/** What differs from run to run, told the same on both sides. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b127\.0\.0\.1:\d+\b/g, '127.0.0.1:PORT'],
  [/\b2\.1(\d)\.\d+\b/g, '2.1$1.x'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UUID'],
  [/\bN[A-Z2-7]{55}\b/g, 'SERVER'],
];

const settled = (line: string): string => VARYING.reduce((text, [from, to]) => text.replace(from, to), line.trimEnd());

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineMatches = (expected: string, line: string): boolean =>
  new RegExp(`^${settled(expected).split('…').map(escaped).join('.*')}$`).test(settled(line));

/** True where the output is what the story shows. */
export function isAsShown(expected: readonly string[], output: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return output.length === 0;
  if (first.trim() === '…') {
    for (let skip = 0; skip <= output.length; skip++) if (isAsShown(rest, output.slice(skip))) return true;
    return false;
  }
  return output.length > 0 && lineMatches(first, output[0]!) && isAsShown(rest, output.slice(1));
}

export const asPlayed = ({ output, exit }: Pick<Played, 'output' | 'exit'>): string[] => [
  ...output.map((line) => line.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:4222')),
  ...(exit === 0 ? [] : [`[exit ${exit}]`]),
];

/** The document with what was really printed, where that is not what it shows. */
export function retold(text: string, all: readonly Played[]): string {
  const lines = text.split('\n');
  for (const { turn, output, exit } of [...all].reverse()) {
    if (exit === turn.exit && isAsShown(turn.expected, output)) continue;
    lines.splice(turn.from, turn.to - turn.from, ...asPlayed({ output, exit }));
  }
  return lines.join('\n');
}
