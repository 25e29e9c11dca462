import { type Config, isObject } from '../model/json.ts';
import { printDuration } from '../model/units.ts';

/** A combination of fields that every server refuses. */
export interface Refused {
  /** The field to point at. */
  readonly field: string;
  readonly message: string;
  readonly hint: string;
  /** The server's err_code. */
  readonly code: number;
  /** What could safely stand in the field's place. */
  readonly instead?: string;
}

const amount = (config: Config, field: string): number => Number(config[field] ?? 0);
const none: readonly Refused[] = [];

/** Of a stream, from its configuration as it is written: what is left out is the server's default. */
export const STREAM_REFUSALS = {
  windowOverAge(config: Config) {
    const [window, age] = [amount(config, 'duplicate_window'), amount(config, 'max_age')];
    if (window <= 0 || age <= 0 || window <= age) return none;
    const message = `duplicate_window ${printDuration(window)} is longer than max_age ${printDuration(age)}`;
    const hint = `write ${printDuration(age)} or less, or raise max_age`;
    return [{ field: 'duplicate_window', message, hint, code: 10052 }];
  },

  perSubjectAlone(config: Config) {
    if (config.discard_new_per_subject !== true) return none;
    const lacks = [
      ...(config.discard === 'new' ? [] : ['discard: new']),
      ...(amount(config, 'max_msgs_per_subject') > 0 ? [] : ['max_msgs_per_subject']),
    ].join(' and ');
    const message = `discard_new_per_subject without ${lacks}`;
    return lacks === '' ? none : [{ field: 'discard_new_per_subject', message, hint: `add ${lacks}`, code: 10052 }];
  },

  rollupWithoutPurge(config: Config) {
    if (config.deny_purge !== true) return none;
    // The last two switch roll-ups on.
    const other = ['allow_rollup_hdrs', 'allow_msg_schedules', 'subject_delete_marker_ttl'].find(
      (field) => config[field] === true || amount(config, field) > 0,
    );
    if (other === undefined) return none;
    return [
      { field: 'deny_purge', message: `deny_purge and ${other} are both set`, hint: 'keep one of them', code: 10052 },
    ];
  },

  needsDiscardOld(config: Config) {
    if (config.discard !== 'new') return none;
    return ['allow_msg_schedules', 'allow_msg_counter']
      .filter((field) => config[field] === true)
      .map((field) => ({
        field,
        message: `${field} with discard new`,
        hint: 'leave discard out, or this field',
        code: 10052,
      }));
  },
} as const satisfies Record<string, (config: Config) => readonly Refused[]>;

const isWorkqueue = ({ retention }: Config): boolean => retention === 'workqueue';

const LIMITS = [
  { field: 'max_ack_pending', code: 10121, print: String },
  { field: 'inactive_threshold', code: 10153, print: printDuration },
] as const;

/** Of a consumer, beside its stream. */
export const CONSUMER_REFUSALS = {
  backoffOverTries({ backoff, max_deliver }: Config) {
    const [steps, tries] = [Array.isArray(backoff) ? backoff.length : 0, Number(max_deliver ?? -1)];
    if (tries < 1 || steps <= tries) return none;
    const message = `backoff has ${steps} steps, but max_deliver is ${tries}`;
    const hint = `raise max_deliver to ${steps} or more, or keep ${tries} step${tries === 1 ? '' : 's'}`;
    return [{ field: 'backoff', message, hint, code: 10116 }];
  },

  deliversNotAll({ deliver_policy = 'all' }: Config, stream: Config) {
    if (!isWorkqueue(stream) || deliver_policy === 'all') return none;
    const message = `deliver_policy ${deliver_policy} on a workqueue stream`;
    const hint = 'write deliver_policy: all, or leave it out';
    return [{ field: 'deliver_policy', message, hint, code: 10101, instead: 'all' }];
  },

  acksNotEach({ ack_policy = 'explicit' }: Config, stream: Config) {
    // From 2.14 on: by flow_control copies read, and the server takes such consumers on a workqueue.
    if (!isWorkqueue(stream) || ack_policy === 'explicit' || ack_policy === 'flow_control') return none;
    const message = `ack_policy ${ack_policy} on a workqueue stream`;
    const hint = 'write ack_policy: explicit, and let the worker acknowledge each message';
    return [{ field: 'ack_policy', message, hint, code: 10098 }];
  },

  /** -1 in flight breaks no limit. */
  overLimits(config: Config, { consumer_limits: limits }: Config) {
    if (!isObject(limits)) return none;
    return LIMITS.flatMap(({ field, code, print }) => {
      const [limit, value] = [amount(limits, field), amount(config, field)];
      if (limit <= 0 || value <= limit) return [];
      const message = `${field} ${print(value)} is over the ${print(limit)} of its stream’s consumer_limits`;
      const hint = `lower it to ${print(limit)}, or raise consumer_limits.${field} of the stream`;
      return [{ field, message, hint, code }];
    });
  },
} as const satisfies Record<string, (consumer: Config, stream: Config) => readonly Refused[]>;
