import { executePlan } from '../apply/execute.ts';
import { deriveDesired } from '../desired/derive.ts';
import { journalledEntry } from '../dlq/entry.ts';
import { countJournalled } from '../dlq/journalled.ts';
import { holdQueues } from '../dlq/lock.ts';
import { queuesTouched } from '../dlq/touched.ts';
import { OpsError } from '../errors/ops-error.ts';
import { LEDGER_BUCKET } from '../facts/names.ts';
import { forgetJournal, type JournalEntry, readJournal } from '../ledger/journal.ts';
import { forgetApplied, readLastApplied } from '../ledger/store.ts';
import type { Context } from '../model/context.ts';
import { equalJson } from '../model/json.ts';
import type { Change, Finding, Plan } from '../model/plan.ts';
import { keyOf, type Observed } from '../model/resource.ts';
import { toType } from '../model/shell.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { withFigures } from '../nats/room.ts';
import { readObserved } from '../observed/read.ts';
import { ownerMark, scanOwned } from '../observed/scan.ts';
import { locateQueues } from '../places/queues.ts';
import { planJson } from '../plan/json.ts';
import { makePlan } from '../plan/make-plan.ts';
import { countDeadOf } from './dead.ts';
import { openSystems } from './planned/prepare.ts';
import { asStopped, sumUp, tellHistory } from './planned/record.ts';
import { chooseSources, type SpecChoice } from './spec-source.ts';

/** Queues whose journals are looked at at once. */
const AT_ONCE = 16;

export interface DestroyOptions extends SpecChoice {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** In milliseconds. */
  readonly lockWaitMs: number;
  show(plans: readonly Plan[]): void;
}

export interface Destroyed {
  readonly plan: Plan;
  readonly changes: readonly Change[];
  readonly applied: boolean;
}

interface System {
  readonly nats: Nats;
  readonly loaded: LoadedSpec;
}

/**
 * Removes everything that carries the mark of the specs' systems, consumers first, and nothing else; then the ledger
 * forgets them. The history stays.
 * @throws OpsError USAGE_NO_SPEC, SPEC_*, CONN_*, DENIED_*, NOT_CONFIRMED, LOCK_HELD, APPLY_FAILED, INTERRUPTED
 */
export async function destroyOperation(context: Context, options: DestroyOptions): Promise<readonly Destroyed[]> {
  if (chooseSources(context, options).length === 0) {
    throw new OpsError('USAGE_NO_SPEC', 'destroy needs a spec', {
      why: 'What removes a whole system does not guess which one.',
      hints: ['name the spec: osapi-ops destroy SPEC', '`osapi-ops export` writes one of what is live'],
    });
  }
  const opened = await openSystems(context, options);
  try {
    const removals: Removal[] = [];
    for (const system of opened.systems) {
      const dead = countAll(context, system);
      // It is waited for later, and a plan that fails is what is told.
      dead.catch(() => {});
      removals.push({ ...(await planRemoval(system)), dead });
    }
    const isGoing = options.yes && !options.dryRun && removals.every(({ plan }) => plan.changes.length > 0);
    // Whom nobody asks is shown it under the lock, which is taken while the dead are counted.
    const shown = isGoing ? removals : await Promise.all(removals.map(tellDead));
    if (!isGoing) options.show(shown.map(({ plan }) => plan));
    if (options.dryRun) return shown.map(({ plan }) => ({ plan, changes: plan.changes, applied: false }));
    for (const removal of shown) await agreeToLose(context, removal, options);
    const done: Destroyed[] = [];
    for (const removal of shown) {
      done.push(
        removal.plan.changes.length > 0 ? await remove(context, removal, options, isGoing) : await forget(removal),
      );
    }
    return done;
  } finally {
    await opened.close();
  }
}

/** A system, and the deletion of all that carries its mark on the server now. */
interface Removal extends System {
  readonly plan: Plan;
  readonly observed: Observed;
  /** The ledger knows the system for certain. */
  readonly isKnown: boolean;
  /** How many are dead, by queue. */
  readonly dead: Promise<ReadonlyMap<string, number>>;
}

async function planRemoval({ nats, loaded }: System): Promise<Omit<Removal, 'dead'>> {
  const system = loaded.spec.name;
  const desired = deriveDesired(loaded);
  const [observed, named, lastApplied, counted] = await Promise.all([
    scanOwned(nats, system, Object.keys(loaded.spec.queues)),
    readObserved(nats, desired.resources.map(keyOf)),
    readLastApplied(nats, system).catch(() => undefined),
    countJournalled(nats),
  ]);
  const plan = makePlan({
    desired: { system, resources: [] },
    observed,
    prune: true,
    lastApplied,
  });
  const queues = plan.changes.filter(({ kind, name }) => kind === 'stream' && counted?.has(name));
  const journals = await pipelined(queues, AT_ONCE, ({ name }) => readJournal(nats, name));
  const roles = new Map(desired.resources.map((resource) => [keyOf(resource), resource.role]));
  const removal: Plan = {
    ...plan,
    findings: [
      ...plan.findings.filter((finding) => !goesWithStream(finding, plan)).map(asWarning),
      ...queues.flatMap((change, index) => goingFromJournal(change, journals[index]!, observed)),
    ],
    changes: plan.changes.map((change) => ({
      ...change,
      role: roles.get(keyOf(change)) ?? change.role,
      origin: 'unknown',
      reason: `owned by ${system}`,
    })),
    leftAlone: [...plan.leftAlone, ...notOurs(system, named), ...(lastApplied ? [LEDGER_STAYS] : [])],
  };
  return { nats, loaded, observed, plan: removal, isKnown: lastApplied !== undefined };
}

/** The dead of its queues that are there; none for who may remove streams and not look into them. */
async function countAll(context: Context, { nats, loaded }: System): Promise<ReadonlyMap<string, number>> {
  const count = async () => {
    const refs = (await locateQueues(nats, { spec: loaded.spec })).filter(({ isGone }) => !isGone);
    return refs.length > 0 ? countDeadOf(nats, refs, context.now().getTime()) : UNCOUNTED;
  };
  return orElse(answerOf(count()), { missing: UNCOUNTED, denied: UNCOUNTED, silent: UNCOUNTED });
}
const UNCOUNTED: ReadonlyMap<string, number> = new Map();

/** The same with the dead letters that go: among the messages that are deleted they are those that somebody may want. */
async function tellDead(removal: Removal): Promise<Removal> {
  const { loaded, plan, dead } = removal;
  const isGoing = (queue: string) => plan.changes.some(({ kind, name }) => kind === 'stream' && name === queue);
  const findings = [...(await dead)].flatMap(([name, count]): Finding[] =>
    count === 0 || !isGoing(name)
      ? []
      : [
          {
            code: 'RISK_DATA_LOSS',
            severity: 'warning',
            resource: `stream ${name}`,
            message: `stream ${name}: ${count} dead ${count === 1 ? 'letter goes' : 'letters go'} with it`,
            hint: `\`${toType`osapi-ops dlq export -f ${loaded.source} --queue ${name} --out dead.ndjson`}\` keeps them in a file`,
          },
        ],
  );
  return { ...removal, plan: { ...plan, findings: [...plan.findings, ...findings] } };
}

/** That nobody delivers a stream's messages any more is no news where the stream goes, too. */
const goesWithStream = ({ resource }: Finding, { changes }: Plan): boolean =>
  resource.startsWith('consumer ') &&
  changes.some((change) => change.kind === 'stream' && resource.startsWith(`consumer ${change.name}/`));

const LEDGER_STAYS = {
  resource: `bucket ${LEDGER_BUCKET}`,
  what: `the ledger of all systems here, with their history: it stays; \`${toType`nats kv del ${LEDGER_BUCKET}`}\` removes it`,
} as const;

/** What an unfinished replay took out of a queue belongs to that queue: it goes with it, and not into the next of its name. */
function goingFromJournal(queue: Change, journal: readonly JournalEntry[], { resources }: Observed): Finding[] {
  const count = journal.length;
  if (count === 0) return [];
  const { name } = queue;
  const created = resources.get(keyOf(queue))?.created;
  const stale = journal.filter((one) => journalledEntry(undefined, one, created).inner.stale).length;
  const what = `${count} ${count === 1 ? 'request' : 'requests'} in the journal of a replay that has not ended`;
  const archive = `\`${toType`osapi-ops dlq purge --queue ${name}`}\` archives what is there`;
  return [
    {
      code: 'RISK_DATA_LOSS',
      severity: 'warning',
      resource: `stream ${name}`,
      message: `stream ${name}: ${what} ${count === 1 ? 'goes' : 'go'} with it`,
      // A replay puts nothing into a queue that was made anew since.
      hint:
        stale > 0
          ? `of a queue that was made anew since, ${stale}: ${archive}`
          : 'finish it first: osapi-ops dlq replay',
      count,
    },
  ];
}

/** Nothing is refused for its messages here: how many go is said, and asked about as a whole. */
function asWarning({ needs: _, hint: __, ...finding }: Finding): Finding {
  return { ...finding, severity: finding.severity === 'info' ? 'info' : 'warning' };
}

/** What the spec names and the server has, but without our mark: it stays. */
const notOurs = (system: string, named: Observed): Plan['leftAlone'] =>
  [...named.resources].flatMap(([resource, { config }]) => {
    const owner = ownerMark(config);
    if (owner === system) return [];
    return [{ resource, what: owner ? `belongs to ${owner}: it stays` : 'carries no owner mark: it stays' }];
  });

const messagesIn = (plan: Plan): number => plan.findings.reduce((sum, { count }) => sum + (count ?? 0), 0);

/** Asks for the system's name, or takes `--yes` where nobody can be asked. @throws OpsError NOT_CONFIRMED */
async function agreeToLose(context: Context, { nats, loaded, plan }: Removal, options: DestroyOptions): Promise<void> {
  if (plan.changes.length === 0 || options.yes) return;
  const system = loaded.spec.name;
  const messages = messagesIn(plan);
  const what = `${plan.changes.length} resources${messages > 0 ? ` and the ${messages} messages in them` : ''}`;
  const typed = await context.io.ask({
    type: 'typed-name',
    text: `This deletes ${what} from ${nats.target.url}. Type the system's name to go on`,
    name: system,
    fallback: '',
  });
  if (typed === system) return;
  throw new OpsError('NOT_CONFIRMED', `destroying ${system} was not confirmed`, {
    where: `${system} on ${nats.target.url}`,
    why: `It would delete ${what}. Nothing was touched.`,
    hints: [context.io.interactive ? `type ${system} to go on` : 'give --yes where nobody can be asked'],
    result: { ...planJson(plan), applied: false },
  });
}

/** Nothing is there any more: only the ledger may still know it. */
async function forget({ nats, loaded, plan }: Removal): Promise<Destroyed> {
  await forgetApplied(nats, loaded.spec.name);
  return { plan, changes: [], applied: true };
}

/** Takes the lock, looks again, and removes; where what goes has moved, a person is asked again, without the lock. */
async function remove(context: Context, shown: Removal, options: DestroyOptions, showsIt: boolean): Promise<Destroyed> {
  for (let removal = shown; ; ) {
    const outcome = await lockAndLook(context, removal, options, showsIt).catch(async (error: unknown) => {
      throw await withFigures(shown.nats, error);
    });
    if ('applied' in outcome) return outcome;
    removal = outcome;
    await agreeToLose(context, removal, options);
  }
}

async function lockAndLook(
  context: Context,
  shown: Removal,
  options: DestroyOptions,
  showsIt: boolean,
): Promise<Destroyed | Removal> {
  const { nats, loaded } = shown;
  const lock = { waitMs: options.lockWaitMs, verb: 'destroy', replicas: () => 1 };
  const queues = queuesTouched(shown.plan.changes, { ...shown, desired: { resources: [] } });
  const look = async (signal: AbortSignal, held: Nats) => {
    const removal = await tellDead({ ...(await planRemoval(shown)), dead: shown.dead });
    const hasMoved = !equalJson(removal.plan.steps, shown.plan.steps);
    if (hasMoved && context.io.interactive && !options.yes) {
      context.io.tell({ type: 'warning', text: 'the server changed since you were asked; this is what goes now' });
      options.show([removal.plan]);
      return removal;
    }
    if (showsIt) options.show([removal.plan]);
    return removeAll(context, { ...removal, nats: held }, signal);
  };
  return holdQueues(context, nats, queues, lock, look, [loaded.spec.name]);
}

async function removeAll(
  context: Context,
  { nats, loaded, observed, plan, isKnown }: Removal,
  signal: AbortSignal,
): Promise<Destroyed> {
  const system = loaded.spec.name;
  const { changes, fault } = await executePlan(nats, plan, { io: context.io, signal, observed });
  const told = { system, verb: 'destroy', changes };
  if (fault !== undefined) {
    await tellHistory(context, nats, { ...told, summary: 'stopped half-way' }).catch(() => {});
    throw stopped(plan, changes, fault);
  }
  const left = await readObserved(nats, changes.map(keyOf));
  if (left.resources.size > 0) {
    throw new OpsError('APPLY_NOT_TAKEN', `still there: ${[...left.resources.keys()].join(', ')}`, {
      where: `${system} on ${nats.target.url}`,
      why: 'Somebody made them again at once.',
      hints: ['run destroy again'],
      result: { ...planJson(plan, changes), applied: false },
    });
  }
  const streams = changes.filter(({ kind }) => kind === 'stream').map(({ name }) => name);
  await Promise.all([
    pipelined(streams, AT_ONCE, async (name) => {
      for (const { stored } of await readJournal(nats, name)) await forgetJournal(nats, stored);
    }),
    forgetApplied(nats, system, isKnown),
    tellHistory(context, nats, { ...told, summary: sumUp(plan) }),
  ]);
  return { plan, changes, applied: true };
}

function stopped(plan: Plan, changes: readonly Change[], fault: unknown): unknown {
  if (!(fault instanceof OpsError)) return fault;
  const gone = changes.filter(({ status }) => status === 'applied').length;
  const sum = `${gone} of ${changes.length} deleted`;
  return asStopped(fault, { plan, changes, sum, hints: [...fault.hints, 'run destroy again: it goes on from here'] });
}
