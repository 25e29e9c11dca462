import type { AccountUsage, Usage } from '../model/account.ts';
import { type Config, numberOf } from '../model/json.ts';
import type { Finding } from '../model/plan.ts';
import { printSize } from '../model/units.ts';
import { counted, labelOf, type Subject } from './subject.ts';

// What a stream takes of its account before it holds anything: itself, and its max_bytes. Measured on 2.10.26 and 2.15.1:
// the server refuses what is over either limit (10047, 10028, 10027), and counts what streams reserve, not what they hold.

type Side = 'before' | 'after';

const isMemory = (subject: Subject, side: Side): boolean => subject[side]?.storage === 'memory';
const reserves = (subject: Subject, side: Side): number => Math.max(0, numberOf(subject[side]?.max_bytes));

/** What the changes of a kind of storage add to what is reserved, in bytes; copies are not counted, so it is the least. */
const added = (subjects: readonly Subject[], memory: boolean): number =>
  subjects
    .flatMap((subject) => [
      isMemory(subject, 'after') === memory ? reserves(subject, 'after') : 0,
      isMemory(subject, 'before') === memory ? -reserves(subject, 'before') : 0,
    ])
    .reduce((sum, bytes) => sum + bytes, 0);

const refusal = (subject: Subject, message: string, hint: string): Finding => ({
  code: 'RISK_SERVER_REFUSES',
  severity: 'refuse',
  resource: subject.key,
  message: `${labelOf(subject)}: ${message}`,
  hint,
});

const tierOf = (config: Config): string => `R${Math.max(1, numberOf(config.num_replicas, 1))}`;

/** A stream as it counts in a tier: not as what it was, or will be, in another. */
const within = (tier: string, subject: Subject): Subject => {
  const { before, after, ...rest } = subject;
  const own = (config: Config | undefined) => (config && tierOf(config) === tier ? config : undefined);
  return { ...rest, before: own(before), after: own(after) };
};

/**
 * Limits of the account that the whole of a plan would break. `more` is how many streams it makes besides: of them
 * nobody knows the tier, where there are any.
 */
export function overAccount(all: readonly Subject[], account: AccountUsage, more = 0): Finding[] {
  const streams = all.filter(({ change }) => change.kind !== 'consumer');
  const { tiers } = account;
  if (!tiers) return overLimits(streams, account, more, '');
  const outside = streams.find(({ after }) => after && !(tierOf(after) in tiers));
  return [
    ...(outside ? [outsideTiers(outside, Object.keys(tiers))] : []),
    ...Object.entries(tiers).flatMap(([tier, usage]) => {
      const own = streams.filter(({ before, after }) => tierOf(after ?? before ?? {}) === tier);
      const touching = streams.map((one) => within(tier, one));
      return overLimits(touching, usage, 0, ` of tier ${tier}`, own);
    }),
  ];
}

const outsideTiers = (subject: Subject, tiers: readonly string[]): Finding =>
  refusal(
    subject,
    `the account has limits for ${tiers.join(' and ')} only, and may have no stream of ${tierOf(subject.after ?? {})} (10120)`,
    `set num_replicas to what the account has a tier for, or give it one`,
  );

/** `own` are the streams whose number counts. */
function overLimits(
  streams: readonly Subject[],
  account: Usage,
  more: number,
  part: string,
  own: readonly Subject[] = streams,
): Finding[] {
  const { limits } = account;
  const bytes = (memory: boolean): Finding[] => {
    const [field, code, limit, reserved] = memory
      ? (['max_memory', 10028, limits.max_memory, account.reserved_memory] as const)
      : (['max_storage', 10047, limits.max_storage, account.reserved_storage] as const);
    const grows = added(streams, memory);
    const most = streams
      .filter((one) => isMemory(one, 'after') === memory)
      .sort((a, b) => reserves(b, 'after') - reserves(a, 'after'))[0];
    if (!most || limit < 0 || grows <= 0 || reserved + grows <= limit) return [];
    const what = memory ? 'memory' : 'file storage';
    const message = `the account may use ${printSize(limit)} of ${what}${part}: its streams reserve ${printSize(reserved)} of it with max_bytes, and this plan reserves ${printSize(grows)} more (${code})`;
    return [refusal(most, message, `lower max_bytes in the spec, or raise ${field} of the account`)];
  };
  const count = (action: string) => own.filter(({ change }) => change.action === action).length;
  const made = count('create') - count('delete') + more;
  const last = own.findLast(({ change }) => change.action === 'create');
  const isOver = limits.max_streams > 0 && account.streams + made > limits.max_streams;
  const ledger = more > 0 ? ', one of them the bucket osapi_ops' : '';
  return [
    ...bytes(false),
    ...bytes(true),
    ...(last && isOver
      ? [
          refusal(
            last,
            `the account may have ${counted(limits.max_streams, 'stream')}${part}: it has ${account.streams}, and this plan makes ${made} more${ledger} (10027)`,
            'raise max_streams of the account, or remove streams that nobody needs; a bucket is a stream as well',
          ),
        ]
      : []),
  ];
}
