import { STREAM_REFUSALS } from '../../facts/refusals.ts';
import { subjectCovers } from '../../facts/subjects.ts';
import { printDuration } from '../../model/units.ts';
import { refusedStreams } from './refused.ts';
import type { Rule } from './rule.ts';
import { isWorkqueue, settingOf, writtenFilters } from './view.ts';

const SHORTEST_AGE = 100e6;

const age: Rule = {
  id: 'SPEC_MAX_AGE_SHORT',
  severity: 'error',
  why: 'The server refuses less (err_code 10052).',
  *check(view) {
    const all = [
      ...view.streams.map(({ path, config }) => ({ path, config, field: 'max_age' })),
      ...view.buckets.map(({ path, config }) => ({ path, config, field: 'ttl' })),
    ];
    for (const { path, config, field } of all) {
      const nanos = settingOf(config, field, 0);
      if (nanos <= 0 || nanos >= SHORTEST_AGE) continue;
      yield {
        path: [...path, field],
        message: `${field} is ${printDuration(nanos)}`,
        hint: nanos < 1e6 ? `write a unit, as in ${nanos}s; 0 is for ever.` : 'write 100ms or more; 0 is for ever.',
      };
    }
  },
};

const duplicates: Rule = {
  id: 'SPEC_DUPLICATE_WINDOW',
  severity: 'error',
  why: 'The server refuses it (err_code 10052): it cannot remember the id of a message that is gone.',
  check: (view) => refusedStreams(view, STREAM_REFUSALS.windowOverAge),
};

const perSubject: Rule = {
  id: 'SPEC_DISCARD_PER_SUBJECT',
  severity: 'error',
  why: 'The server refuses it alone (err_code 10052): there would be nothing to refuse by.',
  reads: ['discard', 'max_msgs_per_subject'],
  check: (view) => refusedStreams(view, STREAM_REFUSALS.perSubjectAlone),
};

const rollup: Rule = {
  id: 'SPEC_DENY_PURGE_ROLLUP',
  severity: 'error',
  why: 'A roll-up purges what came before; the server refuses both at once (err_code 10052). subject_delete_marker_ttl and allow_msg_schedules switch roll-ups on.',
  check: (view) => refusedStreams(view, STREAM_REFUSALS.rollupWithoutPurge),
};

const schedules: Rule = {
  id: 'SPEC_DISCARD_NEW_REFUSED',
  severity: 'error',
  why: 'The server refuses allow_msg_schedules and allow_msg_counter with discard new (err_code 10052).',
  check: (view) => refusedStreams(view, STREAM_REFUSALS.needsDiscardOld),
};

const mirror: Rule = {
  id: 'SPEC_MIRROR',
  severity: 'error',
  why: 'The server refuses them on a mirror (err_code 10034, 10031, 10143): it is a copy and nothing else.',
  *check(view) {
    for (const { config, path } of view.streams) {
      if (config.mirror === undefined) continue;
      for (const field of ['subjects', 'sources', 'first_seq']) {
        const value = config[field];
        if (value === undefined || value === 0 || (Array.isArray(value) && value.length === 0)) continue;
        yield {
          path: [...path, field],
          message: `a mirror cannot have ${field}`,
          hint: `leave ${field} out; to add to what is copied, use sources instead of mirror.`,
        };
      }
    }
  },
};

const evenReplicas: Rule = {
  id: 'SPEC_REPLICAS_EVEN',
  severity: 'warning',
  why: 'A majority must live: 2 replicas stop when either is lost, which is worse than 1; 4 survive no more losses than 3.',
  *check(view) {
    for (const { name, config, path } of [...view.streams, ...view.buckets]) {
      const replicas = settingOf(config, 'num_replicas', 1);
      if (replicas % 2 !== 0) continue;
      yield {
        path: [...path, 'num_replicas'],
        message: `${name} has ${replicas} replicas`,
        hint: replicas === 2 ? 'write 3 (or 1).' : 'write 3 or 5.',
      };
    }
  },
};

const LOOPBACK = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?\/?$/i;

const oneServer: Rule = {
  id: 'SPEC_REPLICAS_ONE_SERVER',
  severity: 'warning',
  why: 'One server holds one copy: servers from 2.14 on refuse more (err_code 10074), older ones take the number and hold one copy all the same.',
  *check(view) {
    const { servers } = view.spec.connection;
    if (servers?.length !== 1 || !LOOPBACK.test(servers[0]!)) return;
    for (const { name, config, path } of [...view.streams, ...view.buckets]) {
      if (settingOf(config, 'num_replicas', 1) < 2) continue;
      yield {
        path: [...path, 'num_replicas'],
        message: `${name} wants ${config.num_replicas} replicas of the one server in connection.servers`,
        hint: 'name the cluster’s servers, or write num_replicas: 1.',
      };
    }
  },
};

const asyncReplicas: Rule = {
  id: 'SPEC_PERSIST_ASYNC_REPLICAS',
  severity: 'error',
  why: 'The server refuses it on replicated streams (err_code 10052).',
  *check(view) {
    for (const { config, path } of view.streams) {
      if (config.persist_mode !== 'async' || settingOf(config, 'num_replicas', 1) < 2) continue;
      yield {
        path: [...path, 'persist_mode'],
        message: `persist_mode async with ${config.num_replicas} replicas`,
        hint: 'leave persist_mode out, or write num_replicas: 1.',
      };
    }
  },
};

const schedulesTaken: Rule = {
  id: 'SPEC_SCHEDULES_TAKEN',
  severity: 'warning',
  why: 'A schedule is a message of its stream until its time comes; on a workqueue the worker that is handed it and acknowledges it has deleted it.',
  reads: ['consumers', 'retention', 'mirror', 'sources'],
  *check(view) {
    for (const stream of view.streams) {
      const { name, config, path, subjects, consumers } = stream;
      if (config.allow_msg_schedules !== true || !isWorkqueue(stream) || !subjects) continue;
      const taken = (subject: string) =>
        consumers.some((consumer) => {
          const filters = writtenFilters(consumer);
          return filters.length === 0 || filters.some((filter) => subjectCovers(filter, subject));
        });
      if (!subjects.every(taken)) continue;
      yield {
        path: [...path, 'allow_msg_schedules'],
        message: `queue ${name}: every subject goes to a worker, so that schedules do too`,
        hint: 'give schedules a subject of the stream that no filter takes, such as schedules.>.',
      };
    }
  },
};

export const limitRules: readonly Rule[] = [
  age,
  duplicates,
  perSubject,
  rollup,
  schedules,
  schedulesTaken,
  mirror,
  evenReplicas,
  oneServer,
  asyncReplicas,
];
