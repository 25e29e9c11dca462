import { CONSUMER_REFUSALS } from '../../facts/refusals.ts';
import { listOf } from '../../model/json.ts';
import { printDuration } from '../../model/units.ts';
import { refusedConsumers } from './refused.ts';
import type { Rule } from './rule.ts';
import { type ConsumerView, called, scheduleOf, settingOf } from './view.ts';

const backoffOf = ({ config }: ConsumerView): readonly number[] => listOf(config.backoff).map(Number);

const backoffLength: Rule = {
  id: 'SPEC_BACKOFF_TOO_LONG',
  severity: 'error',
  why: 'The server refuses a backoff longer than max_deliver (err_code 10116): its last steps could never be waited.',
  check: (view) => refusedConsumers(view, CONSUMER_REFUSALS.backoffOverTries),
};

const positive: Rule = {
  id: 'SPEC_WAIT_NOT_POSITIVE',
  severity: 'error',
  why: 'Servers differ: a step of 0 is redelivered at once in a tight loop up to 2.12, a negative one is refused from 2.12 on (err_code 10184); ack_wait 0 becomes 30s.',
  *check(view) {
    for (const consumer of view.consumers) {
      for (const [at, wait] of backoffOf(consumer).entries()) {
        if (wait > 0) continue;
        yield {
          path: [...consumer.path, 'backoff', at],
          message: `consumer ${called(consumer)}: step ${at + 1} of backoff is ${printDuration(wait)}`,
          hint: 'write a wait such as 1s.',
        };
      }
      if (settingOf(consumer.config, 'ack_wait', 1) > 0) continue;
      yield {
        path: [...consumer.path, 'ack_wait'],
        message: `consumer ${called(consumer)}: ack_wait is 0`,
        hint: 'write how long a delivery may take, such as 30s, or leave it out.',
      };
    }
  },
};

const overridden: Rule = {
  id: 'SPEC_ACK_WAIT_OVERRIDDEN',
  severity: 'warning',
  why: 'The server puts the first step of backoff into ack_wait and says nothing; another value in the spec is never true.',
  *check(view) {
    for (const consumer of view.consumers) {
      const first = backoffOf(consumer)[0];
      const wait = settingOf(consumer.config, 'ack_wait', 0);
      if (first === undefined || first <= 0 || wait === 0 || wait === first) continue;
      yield {
        path: [...consumer.path, 'ack_wait'],
        message: `consumer ${called(consumer)}: ack_wait ${printDuration(wait)} is overridden by backoff, which begins with ${printDuration(first)}`,
        hint: `leave ack_wait out, or write ${printDuration(first)}; a worker that needs longer reports progress.`,
        mend: { write: printDuration(first) },
      };
    }
  },
};

/** Below this, a handful of failures fills the whole allowance; the server's default is 1000. */
const FEW_IN_FLIGHT = 100;

const stall: Rule = {
  id: 'SPEC_MAX_ACK_PENDING_LOW',
  severity: 'warning',
  why: 'A failing request counts as in flight while it waits for its next try; when all places are taken, nothing is delivered, healthy requests neither.',
  reads: ['max_deliver'],
  *check(view) {
    for (const consumer of view.consumers) {
      const places = settingOf(consumer.config, 'max_ack_pending', 1000);
      const longest = Math.max(0, ...backoffOf(consumer));
      if (longest < 1e9 || places < 1 || places >= FEW_IN_FLIGHT) continue;
      const total = scheduleOf(consumer);
      yield {
        path: [...consumer.path, 'max_ack_pending'],
        message: `consumer ${called(consumer)}: ${places} failing request${places === 1 ? '' : 's'} stall${places === 1 ? 's' : ''} it ${
          total === undefined ? 'for ever' : `for up to ${printDuration(total)}`
        }`,
        hint: `write ${FEW_IN_FLIGHT} or more, or leave it out (1000).`,
      };
    }
  },
};

const immortal: Rule = {
  id: 'SPEC_NEVER_DIES',
  severity: 'warning',
  why: 'Without a limit a failing request is tried for ever and never reaches the DLQ.',
  reads: ['max_deliver'],
  *check(view) {
    for (const consumer of view.consumers) {
      if (!consumer.stream.queue?.spec.dlq || settingOf(consumer.config, 'max_deliver', -1) > 0) continue;
      yield {
        path: [...consumer.path, 'max_deliver'],
        message: `consumer ${called(consumer)} tries a failing request for ever, so none reaches the DLQ`,
        hint: 'add max_deliver: 5 or so.',
      };
    }
  },
};

export const retryRules: readonly Rule[] = [backoffLength, positive, overridden, stall, immortal];
