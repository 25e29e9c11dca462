import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Choice, chooseWords } from './lib/complete/choices.ts';
import { readSituation, type Situation } from './lib/complete/situation.ts';
import { readTable } from './lib/complete/table.ts';
import { type Line, splitLine } from './lib/complete/words.ts';
import type { ConnectionFlags, Context } from './lib/model/context.ts';
import type { Io, Question } from './lib/model/io.ts';
import { renderReply, type Shell, usable } from './lib/ui/completion.ts';

/** A person waits for no list longer than this, in milliseconds. */
const PATIENCE = 900;

/**
 * Answers a shell's completion script: `__complete bash BREAKS LINE`, where the line ends at the cursor, or `__complete
 * SHELL =CURRENT WORD...`. Loads no framework, and the NATS client only where a server is
 * asked. Prints nothing but the answer, whatever goes wrong.
 */
export async function complete([shell = '', ...given]: readonly string[], root: string): Promise<void> {
  const line = shell === 'bash' ? splitLine(given[1] ?? '', given[0] ?? '') : fromWords(given);
  const table = readTable(readJson(root, 'oclif.manifest.json'), readJson(root, 'package.json').oclif);
  const situation = readSituation(table, line.words.slice(1), line.current.value);
  const { asked, contexts, files, ...words } = chooseWords(table, situation);
  const choices = [...words.choices];
  let isLate = false;
  if (contexts || asked) {
    const { askServer, knownContexts } = await import('./lib/operations/complete.ts');
    const context = createContext(situation);
    if (contexts) choices.push(...knownContexts(context));
    // What a server says first may be a flag to whoever reads the line.
    const add = (choice: Choice) => void (choice.value.startsWith('-') || choices.push(choice));
    const taken = new Set(situation.args);
    const question = { file: specOf(situation), queues: valuesOf(situation, 'queue') };
    if (asked) {
      const answer = askServer(context, { ...question, asked }, (choice) => taken.has(choice.value) || add(choice));
      isLate = await Promise.race([answer.then(no, no), whenAborted(context.io.signal)]);
    }
  }
  const partial = situation.partial.slice(words.stem.length - situation.stem.length);
  const offered = { choices: usable(choices, partial), stem: words.stem, files };
  const reply = renderReply(offered, { shell: shell as Shell, current: line.current, now: new Date() });
  process.stdout.on('error', () => process.exit(0));
  // A look-up of a name that hangs would keep even an exit waiting, for as long as the resolver tries.
  process.stdout.write(reply, () => (isLate ? process.kill(process.pid, 'SIGTERM') : process.exit(0)));
}

/** The word under the cursor comes first behind a sign: some shells lose an empty one. */
const fromWords = ([current = '', ...words]: readonly string[]): Line => ({
  words: ['', ...words],
  current: { value: current.replace(/^=/, ''), quote: '', kept: 0 },
});

const readJson = (root: string, file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));

const valuesOf = ({ given }: Situation, flag: string): string[] =>
  (given.get(flag) ?? []).filter((value) => typeof value === 'string');

/** The spec that the person named: on the line, or by its variable. */
const specOf = (situation: Situation): string | undefined =>
  valuesOf(situation, 'file').at(-1) ??
  situation.args.find((arg) => /\.ya?ml$/.test(arg)) ??
  process.env.OSAPI_OPS_SPEC;

const no = () => false;
const whenAborted = (signal: AbortSignal): Promise<true> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(true), { once: true }));

/** The context of a run that talks to nobody. */
function createContext(situation: Situation): Context {
  const io: Io = {
    interactive: false,
    signal: AbortSignal.timeout(PATIENCE),
    tell: () => {},
    ask: async <Q extends Question>(question: Q) => question.fallback as never,
  };
  const connection = Object.fromEntries([...situation.given].map(([name, values]) => [name, values.at(-1)]));
  return {
    io,
    env: process.env,
    cwd: process.cwd(),
    tool: '',
    connection: { ...(connection as ConnectionFlags), timeout: `${PATIENCE}ms` },
    now: () => new Date(),
    readStdin: async () => '',
  };
}
