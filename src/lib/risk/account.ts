import type { AccountUsage } from '../model/account.ts';
import { numberOf } from '../model/json.ts';
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

/** Limits of the account that the whole of a plan would break. `more` is how many streams it makes besides. */
export function overAccount(subjects: readonly Subject[], account: AccountUsage, more = 0): Finding[] {
  const streams = subjects.filter(({ change }) => change.kind !== 'consumer');
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
    const message = `the account may use ${printSize(limit)} of ${what}: its streams reserve ${printSize(reserved)} of it with max_bytes, and this plan reserves ${printSize(grows)} more (${code})`;
    return [refusal(most, message, `lower max_bytes in the spec, or raise ${field} of the account`)];
  };
  const count = (action: string) => streams.filter(({ change }) => change.action === action).length;
  const made = count('create') - count('delete') + more;
  const last = streams.findLast(({ change }) => change.action === 'create');
  const isOver = limits.max_streams > 0 && account.streams + made > limits.max_streams;
  const ledger = more > 0 ? ', one of them the bucket osapi_ops' : '';
  return [
    ...bytes(false),
    ...bytes(true),
    ...(last && isOver
      ? [
          refusal(
            last,
            `the account may have ${counted(limits.max_streams, 'stream')}: it has ${account.streams}, and this plan makes ${made} more${ledger} (10027)`,
            'raise max_streams of the account, or remove streams that nobody needs; a bucket is a stream as well',
          ),
        ]
      : []),
  ];
}
