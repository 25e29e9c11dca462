import { basename } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { callWords } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Entry } from '../model/entry.ts';
import { objectOf } from '../model/json.ts';
import { isBadReplay } from '../model/replay.ts';
import { withArguments } from '../model/shell.ts';
import type { Chosen, CommandLine } from '../model/wire.ts';
import { type PurgeOptions, purgeDeadLetters } from '../operations/dlq/purge.ts';
import { type ReplayOptions, replayDeadLetters } from '../operations/dlq/replay.ts';
import { replayFlags, type WrittenWishes, wishesFrom } from '../ui/replay-flags.ts';
import { lineOf } from './answer.ts';
import { but, type Given, givenIn, readChoice, readFlags, wordsOf } from './query.ts';
import type { Starting } from './runs.ts';

type Verb = 'replay' | 'purge';
type Edit = NonNullable<ReplayOptions['written']>;

/** What somebody looked at and may act on: these dead letters, as they were then, and no others. */
export interface Choice {
  readonly verb: Verb;
  /** With the time of each message: another may go by its id later. */
  readonly looked: ReadonlyMap<string, string | null>;
  /** What died later is not among them. */
  readonly lookedAt: string;
  /** How they were chosen, as words of a line. */
  readonly words: readonly string[];
  /** All that matched; `--until` is the console's own then, so that only what was looked at goes. */
  readonly isAll: boolean;
  /** How they are to go, as far as that was part of the look. */
  readonly options: Given;
  readonly edit?: Edit;
}

/** So few ids are named in a line; more are in a file. */
const NAMED = 20;
/** An outcome for each is kept of so many. */
const MOST_OUTCOMES = 100_000;
const LOCK_WAIT_MS = 30_000;

export interface Chooser {
  readonly context: Context;
  readonly file: string | undefined;
  /** The modules that a replay may use, by their names: none of them is named by a page. */
  readonly transforms: readonly string[];
}

const textIn = (value: unknown, what: string): string | undefined => {
  if (value === undefined || typeof value === 'string') return value;
  throw new OpsError('USAGE', `the ${what} of an edit is no text`, { where: 'edit' });
};

/** @throws OpsError USAGE */
function readEdit(value: unknown): Edit | undefined {
  if (value === undefined) return undefined;
  const { subject, headers, payload, payload_base64: base64 } = objectOf(value);
  const pairs = headers === undefined ? undefined : (headers as readonly unknown[]);
  const isPair = (one: unknown): one is [string, string] =>
    Array.isArray(one) && one.length === 2 && one.every((each) => typeof each === 'string');
  if (pairs !== undefined && !(Array.isArray(pairs) && pairs.every(isPair))) {
    throw new OpsError('USAGE', 'the headers of an edit are no list of names and values', { where: 'edit' });
  }
  const named = Object.groupBy((pairs ?? []) as readonly [string, string][], ([name]) => name);
  return {
    ...(subject !== undefined && { subject: textIn(subject, 'subject')! }),
    ...(pairs && {
      headers: Object.fromEntries(Object.entries(named).map(([name, all = []]) => [name, all.map(([, one]) => one)])),
    }),
    ...(payload !== undefined && { payload: textIn(payload, 'payload')! }),
    ...(base64 !== undefined && { payload_base64: textIn(base64, 'payload')! }),
  };
}

/** Options of a replay by their flags. @throws OpsError USAGE */
async function readWishes({ transforms }: Chooser, given: Given) {
  const rest = but(given, ['transform']);
  const [transform] = given.get('transform') ?? [];
  const module = transforms.find((file) => basename(file) === transform);
  if (transform !== undefined && module === undefined) {
    throw new OpsError('USAGE', `there is no transform ${JSON.stringify(transform.slice(0, 100))}`, {
      why: 'A page names no file of this machine: the modules it may use are named when the console is started.',
      hints: [
        `osapi-ops console --transform FILE${transforms.length > 0 ? `; there are ${transforms.map((file) => basename(file)).join(', ')}` : ''}`,
      ],
    });
  }
  const { flags } = await readFlags<WrittenWishes>('dlq replay', replayFlags, rest);
  return { wishes: wishesFrom(flags), transform: module, canary: flags.canary };
}

/** What a body asks to look at. */
export interface Wanted {
  readonly verb: Verb;
  readonly filters: Given;
  readonly options: Given;
  readonly isAll: boolean;
  readonly edit?: Edit | undefined;
}

/** @throws OpsError USAGE */
export function readWanted(body: unknown): Wanted {
  const { verb, filters, ids, options, edit, all } = objectOf(body);
  if (verb !== 'replay' && verb !== 'purge')
    throw new OpsError('USAGE', 'the verb is replay or purge', { where: 'verb' });
  const written = readEdit(edit);
  const named = givenIn(ids === undefined ? {} : { id: ids }, 'ids');
  if (written && (named.get('id')?.length !== 1 || verb !== 'replay')) {
    throw new OpsError('USAGE', 'an edit is of one dead letter, and for its replay', { where: 'edit' });
  }
  return {
    verb,
    filters: new Map([...givenIn(filters, 'filters'), ...named]),
    options: givenIn(options, 'options'),
    isAll: all === true,
    ...(written && { edit: written }),
  };
}

/** Looks: what would move or go, and keeps just that to act on. @throws as the dry run of the verb */
export async function lookAhead(
  chooser: Chooser,
  { verb, filters, options, isAll, edit }: Wanted,
): Promise<{
  readonly choice: Choice;
  readonly result: Chosen['result'];
  readonly argv: readonly string[];
  readonly acts: CommandLine;
}> {
  const { context, file } = chooser;
  const now = context.now();
  const { words, choice: chosen } = await readChoice(`dlq ${verb}`, filters, { now, file });
  const looked = new Map<string, string | null>();
  const onChosen = ({ id, published_at }: Entry) => void looked.set(id, published_at);
  const argv = [...callWords(context.connection, file, 'dlq', verb), '--dry-run', ...words];
  const lookedAt = new Date(Math.min(now.getTime(), chosen.filter.until ?? Number.POSITIVE_INFINITY)).toISOString();
  const choice = { verb, looked, lookedAt, words, isAll, options, ...(edit && { edit }) };
  if (verb === 'purge') {
    const result = await purgeDeadLetters(context, {
      ...chosen,
      yes: false,
      dryRun: true,
      lockWaitMs: LOCK_WAIT_MS,
      onChosen,
    });
    return { choice, result, argv, acts: lineOf(actingWords(chooser, choice)) };
  }
  const { wishes, transform } = await readWishes(chooser, options);
  const { entries: _, ...result } = await replayDeadLetters(context, {
    ...chosen,
    wishes,
    dryRun: true,
    edit: false,
    transform,
    written: edit,
    lockWaitMs: LOCK_WAIT_MS,
    keepEntries: false,
    onChosen,
  });
  const how = replayWords(options, transform);
  return { choice, result, argv: [...argv, ...how], acts: lineOf(actingWords(chooser, choice, how)) };
}

/** How a replay is to go, as words; a module by its file, as a terminal takes it. */
const replayWords = (given: Given, transform: string | undefined): string[] => [
  ...wordsOf(but(given, ['transform']), replayFlags),
  ...(transform === undefined ? [] : [`--transform=${transform}`]),
];

/** The line that acts on what was looked at. An edit is made anew by who types it: no line moves the payload as it was. */
function actingWords(
  { context, file }: Chooser,
  { verb, looked, words, edit }: Choice,
  more: readonly string[] = [],
): string[] {
  const isNamed = looked.size > 0 && looked.size <= NAMED;
  const call = [...callWords(context.connection, file, 'dlq', verb), ...(isNamed ? [] : words)];
  return withArguments(call, isNamed ? [...looked.keys()] : [], [...more, ...(edit ? ['--edit'] : [])]);
}

/** The line that does it again, later: what died again since is of it too, under a number and a time that are new. */
const againWords = (chooser: Chooser, choice: Choice, more: readonly string[] = []): string[] =>
  choice.isAll
    ? [
        ...callWords(chooser.context.connection, chooser.file, 'dlq', choice.verb),
        ...choice.words.filter((word) => !word.startsWith('--until=')),
        ...more,
      ]
    : actingWords(chooser, choice, more);

/** What acts on what was looked at, as a run. @throws OpsError USAGE */
export async function actOn(chooser: Chooser, choice: Choice, options: Given): Promise<Starting> {
  const { context, file } = chooser;
  const { verb, looked, edit } = choice;
  const chosen = { filter: {}, file, looked };
  if (verb === 'purge') {
    return {
      verb,
      line: lineOf(actingWords(chooser, choice)),
      async work(io) {
        const purge: PurgeOptions = { ...chosen, yes: false, dryRun: false, lockWaitMs: LOCK_WAIT_MS };
        return { result: await purgeDeadLetters({ ...context, io }, purge), exit: 0 };
      },
    };
  }
  // What was looked at with other options is looked at again first.
  const all = new Map([...choice.options, ...options, ...choice.options]);
  const { wishes, transform, canary } = await readWishes(chooser, all);
  const words = againWords(chooser, choice, replayWords(all, transform));
  return {
    verb,
    line: lineOf(words),
    async work(io, onReplay) {
      const replay: ReplayOptions = {
        ...chosen,
        wishes,
        dryRun: false,
        edit: false,
        transform,
        written: edit,
        lockWaitMs: LOCK_WAIT_MS,
        keepEntries: looked.size <= MOST_OUTCOMES,
        words,
        onRun: onReplay,
      };
      const result = await replayDeadLetters({ ...context, io }, replay);
      return { result, exit: isBadReplay(result, canary) ? 1 : 0 };
    },
  };
}
