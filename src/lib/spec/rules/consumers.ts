import { CONSUMER_REFUSALS } from '../../facts/refusals.ts';
import { type Json, textsOf } from '../../model/json.ts';
import { refusedConsumers } from './refused.ts';
import type { Rule } from './rule.ts';
import { called, isPush, isWorkqueue, settingOf } from './view.ts';

const isSet = (value: Json | undefined): boolean =>
  value !== undefined &&
  value !== false &&
  value !== 0 &&
  value !== '' &&
  !(Array.isArray(value) && value.length === 0);

const PUSH_ONLY: readonly (readonly [field: string, why: string])[] = [
  ['rate_limit_bps', 'err_code 10086'],
  ['idle_heartbeat', 'err_code 10088'],
  ['flow_control', 'err_code 10089'],
  ['deliver_group', 'the server takes it and it means nothing'],
];
const PULL_ONLY: readonly (readonly [field: string, why: string])[] = [
  ['max_waiting', 'err_code 10080'],
  ['max_batch', 'the server takes it and it means nothing'],
  ['max_expires', 'the server takes it and it means nothing'],
  ['max_bytes', 'the server takes it and it means nothing'],
  ['priority_groups', 'err_code 10178'],
];

const kind: Rule = {
  id: 'SPEC_PUSH_PULL',
  severity: 'error',
  why: 'A consumer pushes where it has a deliver_subject, else workers pull.',
  reads: ['deliver_subject', 'idle_heartbeat'],
  *check(view) {
    for (const consumer of view.consumers) {
      const push = isPush(consumer);
      for (const [field, why] of push ? PULL_ONLY : PUSH_ONLY) {
        if (!isSet(consumer.config[field])) continue;
        yield {
          path: [...consumer.path, field],
          message: `consumer ${called(consumer)}: ${field} is for ${push ? 'pull' : 'push'} consumers (${why})`,
          hint: push ? `leave ${field} out.` : `leave ${field} out, or add deliver_subject.`,
        };
      }
      if (!push || consumer.config.flow_control !== true || isSet(consumer.config.idle_heartbeat)) continue;
      yield {
        path: [...consumer.path, 'flow_control'],
        message: `consumer ${called(consumer)}: flow_control without idle_heartbeat (err_code 10108)`,
        hint: 'add idle_heartbeat: 5s.',
      };
    }
  },
};

const STARTS: Readonly<Record<string, string>> = {
  by_start_sequence: 'opt_start_seq',
  by_start_time: 'opt_start_time',
};

const start: Rule = {
  id: 'SPEC_START',
  severity: 'error',
  why: 'The server refuses by_start_sequence without opt_start_seq, by_start_time without opt_start_time, last_per_subject without a filter, and each start without its policy (err_code 10094).',
  reads: ['deliver_policy', 'opt_start_seq', 'opt_start_time', 'filter_subject', 'filter_subjects'],
  *check(view) {
    for (const consumer of view.consumers) {
      const { config, path } = consumer;
      const policy = String(config.deliver_policy ?? 'all');
      const needed = STARTS[policy];
      if (needed && !isSet(config[needed])) {
        yield {
          path: [...path, 'deliver_policy'],
          message: `consumer ${called(consumer)}: deliver_policy ${policy} without ${needed}`,
          hint: `add ${needed}.`,
        };
      }
      for (const [wanted, field] of Object.entries(STARTS)) {
        if (!isSet(config[field]) || policy === wanted) continue;
        yield {
          path: [...path, field],
          message: `consumer ${called(consumer)}: ${field} with deliver_policy ${policy}`,
          hint: isWorkqueue(consumer.stream)
            ? `leave ${field} out.`
            : `write deliver_policy: ${wanted}, or leave ${field} out.`,
        };
      }
      if (policy === 'last_per_subject' && !isSet(config.filter_subject) && !isSet(config.filter_subjects)) {
        yield {
          path: [...path, 'deliver_policy'],
          message: `consumer ${called(consumer)}: deliver_policy last_per_subject without a filter`,
          hint: 'add filter_subject: ">".',
        };
      }
    }
  },
};

const replicas: Rule = {
  id: 'SPEC_CONSUMER_REPLICAS',
  severity: 'error',
  why: 'More than the stream has are refused (err_code 10126); on a workqueue any other number is (10134). 0, the default, takes the stream’s.',
  reads: ['num_replicas', 'retention'],
  *check(view) {
    for (const consumer of view.consumers) {
      const mine = settingOf(consumer.config, 'num_replicas', 0);
      const whole = settingOf(consumer.stream.config, 'num_replicas', 1);
      const same = ['workqueue', 'interest'].includes(String(consumer.stream.config.retention));
      if (mine === 0 || (same ? mine === whole : mine <= whole)) continue;
      yield {
        path: [...consumer.path, 'num_replicas'],
        message: `consumer ${called(consumer)} has ${mine} replica${mine === 1 ? '' : 's'}, its stream ${whole}`,
        hint: 'leave num_replicas out.',
      };
    }
  },
};

const priority: Rule = {
  id: 'SPEC_PRIORITY',
  severity: 'error',
  why: 'The server refuses a policy without groups (err_code 10159) and groups without a policy (10196).',
  reads: ['priority_policy', 'priority_groups'],
  *check(view) {
    for (const consumer of view.consumers) {
      const policy = String(consumer.config.priority_policy ?? 'none') !== 'none';
      const groups = textsOf(consumer.config.priority_groups).length > 0;
      if (policy === groups) continue;
      yield {
        path: [...consumer.path, policy ? 'priority_policy' : 'priority_groups'],
        message: `consumer ${called(consumer)}: ${policy ? 'priority_policy without priority_groups' : 'priority_groups without priority_policy'}`,
        hint: `add ${policy ? 'priority_groups' : 'priority_policy'}.`,
      };
    }
  },
};

const overLimits: Rule = {
  id: 'SPEC_CONSUMER_OVER_LIMITS',
  severity: 'error',
  why: 'The server refuses a consumer over its stream’s consumer_limits (err_code 10121 for max_ack_pending, 10153 for inactive_threshold).',
  check: (view) => refusedConsumers(view, CONSUMER_REFUSALS.overLimits),
};

export const consumerRules: readonly Rule[] = [kind, start, replicas, priority, overLimits];
