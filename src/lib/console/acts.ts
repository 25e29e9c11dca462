import { OpsError } from '../errors/ops-error.ts';
import { callWords } from '../model/call.ts';
import { objectOf } from '../model/json.ts';
import { OVERRIDES, type Override } from '../model/plan.ts';
import { applyOperation } from '../operations/apply.ts';
import { importDeadLetters } from '../operations/dlq/import.ts';
import { stopReplay } from '../operations/dlq/replays/stop.ts';
import { pauseQueue, resumeQueue } from '../operations/queue/pause.ts';
import { cancelRequests } from '../operations/request/cancel.ts';
import { sendOne } from '../operations/request/send.ts';
import { planJson } from '../plan/json.ts';
import { durationMs, momentFlag } from '../ui/spec-flags.ts';
import { lineOf } from './answer.ts';
import { actOn, type Choice, type Chooser } from './choices.ts';
import { givenIn } from './query.ts';
import type { Starting } from './runs.ts';

/** A plan that was shown, as a file holds it. */
export interface ShownFile {
  readonly file: string;
  readonly named: string;
  readonly source?: string;
}

/** An archive that a browser sent, and how its file is called there. */
export interface SentArchive {
  readonly file: string;
  readonly named: string;
}

/** What an act works with. */
export interface Acting extends Chooser {
  choice(id: unknown): Choice;
  plan(digest: unknown): ShownFile;
  /** The archive that a run of this console wrote. */
  written(run: string): string;
  /** One that a browser sent. */
  archive(id: unknown): SentArchive;
}

type Body = Readonly<Record<string, unknown>>;
type Act = (acting: Acting, body: Body) => Promise<Starting> | Starting;

const LOCK_WAIT_MS = 30_000;
const STOP_WAIT_MS = 30_000;

const fault = (name: string, what: string): OpsError => new OpsError('USAGE', `${name} is ${what}`, { where: name });

/** A text of a body, where it is given. @throws OpsError USAGE */
function text(body: Body, name: string): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw fault(name, 'no text');
  return value;
}

/** @throws OpsError USAGE */
function need(body: Body, name: string): string {
  const value = text(body, name);
  if (value === undefined || value === '') throw fault(name, 'missing');
  return value;
}

const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [`--${name}`, value]);

export const ACTS: Readonly<Record<string, Act>> = {
  replay: (acting, body) => actOn(acting, acting.choice(body.plan), givenIn(body.options, 'options')),

  purge: (acting, body) => actOn(acting, acting.choice(body.plan), new Map()),

  import: ({ context, file, written, archive }, body) => {
    const run = text(body, 'run');
    const from = run === undefined ? archive(body.archive) : { file: written(run) };
    const named = 'named' in from ? from.named : from.file;
    return {
      verb: 'import',
      line: lineOf([...callWords(context.connection, file, 'dlq', 'import'), named]),
      async work(io) {
        const options = { filter: {}, archive: from.file, named, dryRun: false, lockWaitMs: LOCK_WAIT_MS, file };
        return { result: await importDeadLetters({ ...context, io }, options), exit: 0 };
      },
    };
  },

  apply: ({ context, file, plan }, body) => {
    const shown = plan(body.digest);
    const allow = givenIn({ allow: body.allow ?? [] }, 'allow').get('allow') ?? [];
    const odd = allow.find((name) => !OVERRIDES.includes(name as Override));
    if (odd !== undefined) throw fault('allow', `one of ${OVERRIDES.join(', ')}`);
    return {
      verb: 'apply',
      line: lineOf([
        ...callWords(context.connection, shown.source === undefined ? file : undefined, 'apply'),
        ...(shown.source === undefined ? [] : [shown.source]),
        ...allow.map((name) => `--${name}`),
      ]),
      async work(io) {
        const results = await applyOperation(
          { ...context, io },
          {
            specs: [shown.file],
            named: shown.named,
            given: new Set(allow as Override[]),
            yes: false,
            dryRun: false,
            lockWaitMs: LOCK_WAIT_MS,
            show: () => {},
          },
        );
        const [one] = results.map(({ plan, changes, applied }) => ({ ...planJson(plan, changes), applied }));
        return { result: one, exit: 0 };
      },
    };
  },

  pause: ({ context, file }, body) => {
    const [target, length, until] = [need(body, 'target'), text(body, 'for'), text(body, 'until')];
    if (length !== undefined && until !== undefined) throw fault('until', 'not to be given with for');
    const options = {
      target,
      file,
      ...(length !== undefined && { forMs: durationMs('--for', length) }),
      ...(until !== undefined && { until: momentFlag('--until', until) }),
    };
    const words = callWords(context.connection, file, 'queue', 'pause');
    return {
      verb: 'pause',
      line: lineOf([...words, target, ...option('for', length), ...option('until', until)]),
      work: async (io) => ({ result: await pauseQueue({ ...context, io }, options), exit: 0 }),
    };
  },

  resume: ({ context, file }, body) => {
    const target = need(body, 'target');
    return {
      verb: 'resume',
      line: lineOf([...callWords(context.connection, file, 'queue', 'resume'), target]),
      work: async (io) => ({ result: await resumeQueue({ ...context, io }, { target, file }), exit: 0 }),
    };
  },

  send: ({ context, file }, body) => {
    const [kind, payload, id, queue] = [
      need(body, 'kind'),
      need(body, 'payload'),
      text(body, 'id'),
      text(body, 'queue'),
    ];
    const options = {
      kind,
      source: { argument: '-', stdin: bytesOf(payload) },
      headers: [],
      raw: false,
      file,
      id,
      queue,
    };
    const words = callWords(context.connection, file, 'request', 'send');
    return {
      verb: 'send',
      line: lineOf([...words, ...option('id', id), ...option('queue', queue), '--', kind, payload]),
      async work(io) {
        const { sent } = await sendOne({ ...context, io }, options);
        return { result: sent, exit: 0 };
      },
    };
  },

  cancel: ({ context, file }, body) => {
    const [id, queue] = [need(body, 'id'), text(body, 'queue')];
    return {
      verb: 'cancel',
      line: lineOf([...callWords(context.connection, file, 'request', 'cancel'), ...option('queue', queue), '--', id]),
      work: async (io) => ({
        result: await cancelRequests({ ...context, io }, { ids: [id], yes: false, file, queue }),
        exit: 0,
      }),
    };
  },

  stop: ({ context, file }, body) => {
    const id = need(body, 'replay');
    return {
      verb: 'stop',
      line: lineOf([...callWords(context.connection, file, 'dlq', 'replays', 'stop'), id]),
      work: async (io) => ({
        result: await stopReplay({ ...context, io }, { file, id, waitMs: STOP_WAIT_MS }),
        exit: 0,
      }),
    };
  },
};

/** A payload that could be taken for a word of the line is none this way. */
async function* bytesOf(payload: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(payload);
}

/** Begins what a body asks for. @throws OpsError USAGE, CONSOLE_EXPIRED, NOT_FOUND */
export async function beginAct(acting: Acting, body: unknown): Promise<Starting> {
  const wanted = objectOf(body);
  const verb = text(wanted, 'verb') ?? '';
  const act = Object.hasOwn(ACTS, verb) ? ACTS[verb] : undefined;
  if (act) return act(acting, wanted);
  throw new OpsError('USAGE', `there is no verb ${JSON.stringify(verb.slice(0, 40))}`, {
    where: 'verb',
    hints: [`there are ${Object.keys(ACTS).join(', ')}`],
  });
}
