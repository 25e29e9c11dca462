import { CONSUMER_REFUSALS } from '../../facts/refusals.ts';
import { SubjectIndex } from '../../facts/subject-index.ts';
import { subjectCovers, subjectsOverlap } from '../../facts/subjects.ts';
import { refusedConsumers } from './refused.ts';
import type { Found, Rule } from './rule.ts';
import { type ConsumerView, isLimited, isTransformed, isWorkqueue, writtenFilters } from './view.ts';

const deliverPolicy: Rule = {
  id: 'SPEC_WORKQUEUE_DELIVER_POLICY',
  severity: 'error',
  why: 'The server refuses every deliver_policy but all on a workqueue stream (err_code 10101): a message nobody takes could never go.',
  reads: ['retention'],
  check: (view) => refusedConsumers(view, CONSUMER_REFUSALS.deliversNotAll),
};

const ack: Rule = {
  id: 'SPEC_WORKQUEUE_ACK',
  severity: 'error',
  why: 'The server refuses ack_policy none and all on a workqueue stream (err_code 10084 or 10098): a message goes when it is acknowledged.',
  reads: ['retention'],
  check: (view) => refusedConsumers(view, CONSUMER_REFUSALS.acksNotEach),
};

const consumersOverlap: Rule = {
  id: 'SPEC_WORKQUEUE_CONSUMERS',
  severity: 'error',
  why: 'On a workqueue a message belongs to one consumer; the server refuses a second one for the same subject (err_code 10099 without filters, 10100 with).',
  reads: ['consumers', 'retention'],
  *check(view) {
    // By which the server reads for a copy, takes nothing from a worker (2.14 and newer).
    const isWorker = ({ config }: ConsumerView) => config.sourcing !== true;
    for (const { consumers } of view.streams.filter(isWorkqueue)) yield* overlapsAmong(consumers.filter(isWorker));
  },
};

function* overlapsAmong(consumers: readonly ConsumerView[]): Generator<Found> {
  const index = new SubjectIndex<ConsumerView>();
  for (const consumer of consumers) {
    const filters = writtenFilters(consumer);
    const wanted = filters.length > 0 ? filters : ['>'];
    const clash = wanted.flatMap((subject) => index.overlapping(subject).map((other) => ({ subject, other })))[0];
    for (const subject of wanted) index.add(subject, consumer);
    if (!clash) continue;
    const { subject, other } = clash;
    const [mine, theirs] = [subject, other.subject].map((each) => (each === '>' ? 'everything' : each));
    const field = consumer.config.filter_subjects === undefined ? 'filter_subject' : 'filter_subjects';
    yield {
      path: [...consumer.path, ...(filters.length > 0 ? [field] : [])],
      message: `consumers ${other.value.name} and ${consumer.name} of ${consumer.stream.name} both take ${
        mine === theirs ? mine : `${theirs} and ${mine}`
      }`,
      hint: 'give each a filter_subject of its own, or let several workers share one consumer.',
    };
  }
}

const uncovered: Rule = {
  id: 'SPEC_QUEUE_UNCOVERED',
  severity: 'warning',
  why: 'What no filter covers is stored and never worked on: it fills the queue, and no dead letter ever tells of it.',
  reads: ['consumers', 'allow_msg_schedules', 'subject_transform', 'retention', 'mirror', 'sources'],
  *check(view) {
    for (const stream of view.streams.filter(isWorkqueue)) {
      const { name, path, subjects, consumers, config } = stream;
      // A queue without any consumer leaves them to others; schedules need a subject that no worker takes.
      if (!subjects || isTransformed(config) || config.allow_msg_schedules === true) continue;
      const filters = consumers.flatMap((consumer) => {
        const own = writtenFilters(consumer);
        return own.length > 0 ? own : ['>'];
      });
      for (const [at, subject] of subjects.entries()) {
        if (filters.some((filter) => subjectCovers(filter, subject))) continue;
        const touching = filters.filter((filter) => subjectsOverlap(filter, subject));
        // Filters that clash or match nothing have rules of their own.
        if (filters.every((filter) => !subjects.some((each) => subjectsOverlap(each, filter)))) continue;
        const rest = touching.length > 0 ? `${subject} beyond ${touching.join(', ')}` : subject;
        yield {
          path: [...path, 'subjects', at],
          message: `no consumer of ${name} takes requests on ${rest}`,
          hint: 'widen a filter, add a consumer for it, or narrow the queue’s subjects.',
        };
      }
    }
  },
};

const discardOld: Rule = {
  id: 'SPEC_QUEUE_DISCARD_OLD',
  severity: 'warning',
  why: 'With discard old (the server’s default) a full queue drops its oldest requests, unprocessed, and nobody is told.',
  reads: ['discard', 'retention'],
  *check(view) {
    for (const { role, name, config, path } of view.streams) {
      if (role !== 'queue' || config.retention !== 'workqueue' || (config.discard ?? 'old') !== 'old') continue;
      const limit = ['max_msgs', 'max_bytes', 'max_msgs_per_subject'].find((field) => isLimited(config, field));
      if (!limit) continue;
      yield {
        path: [...path, config.discard === undefined ? limit : 'discard'],
        message: `queue ${name} drops its oldest requests unprocessed when ${limit} is reached`,
        hint: 'write discard: new, so that publishers are told instead (10077).',
      };
    }
  },
};

const unlimited: Rule = {
  id: 'SPEC_QUEUE_UNLIMITED',
  severity: 'warning',
  why: 'discard new refuses requests at a limit; without one the queue grows until the server’s disk is full, and then every stream on it suffers.',
  reads: ['max_msgs', 'max_bytes', 'max_msgs_per_subject', 'discard_new_per_subject'],
  *check(view) {
    for (const { role, name, config, path } of view.streams) {
      if (role !== 'queue' || config.discard !== 'new') continue;
      if (['max_msgs', 'max_bytes'].some((field) => isLimited(config, field))) continue;
      if (config.discard_new_per_subject === true && isLimited(config, 'max_msgs_per_subject')) continue;
      yield {
        path: [...path, 'discard'],
        message: `queue ${name} discards the newest at a limit, but has no limit`,
        hint: 'add max_msgs or max_bytes: what the queue may hold before publishers must wait.',
      };
    }
  },
};

const denyDelete: Rule = {
  id: 'SPEC_QUEUE_DENY_DELETE',
  severity: 'warning',
  why: 'Replay deletes the dead original after its copy is stored; deny_delete refuses that (err_code 10057) and cannot be switched off again.',
  *check(view) {
    for (const { role, name, config, path } of view.streams) {
      if (role === 'other' || config.deny_delete !== true) continue;
      yield {
        path: [...path, 'deny_delete'],
        message: `${role === 'dlq' ? 'DLQ' : 'queue'} ${name}: deny_delete makes replay and purge impossible, for good`,
        hint: 'leave deny_delete out.',
      };
    }
  },
};

const noAck: Rule = {
  id: 'SPEC_QUEUE_NO_ACK',
  severity: 'warning',
  why: 'With no_ack nobody learns whether a message is stored: publishers time out, and replay, which deletes an original only once its copy is confirmed, refuses to begin.',
  *check(view) {
    for (const { role, name, config, path } of view.streams) {
      if (role === 'other' || config.no_ack !== true) continue;
      yield {
        path: [...path, 'no_ack'],
        message: `${role === 'dlq' ? 'DLQ' : 'queue'} ${name}: no_ack leaves every publisher without a confirmation`,
        hint: 'leave no_ack out; it can be switched off at any time.',
        mend: 'remove',
      };
    }
  },
};

export const workqueueRules: readonly Rule[] = [
  deliverPolicy,
  ack,
  consumersOverlap,
  uncovered,
  discardOld,
  unlimited,
  denyDelete,
  noAck,
];
