import { capturesAll } from '../../facts/captures.ts';
import { ADVISORY, advisorySubject } from '../../facts/names.ts';
import { subjectsOverlap } from '../../facts/subjects.ts';
import { textsOf } from '../../model/json.ts';
import type { Capture } from '../../model/spec.ts';
import { printDuration } from '../../model/units.ts';
import type { Rule } from './rule.ts';
import { isLimited, scheduleOf, settingOf, type View } from './view.ts';

const dlqs = (view: View) =>
  view.streams.flatMap(({ role, queue, ...stream }) =>
    role === 'dlq' && queue?.spec.dlq ? [{ ...stream, queue, dlq: queue.spec.dlq }] : [],
  );
const KINDS = Object.keys(ADVISORY) as Capture[];
const DEATHS: Readonly<Record<Capture, string>> = {
  max_deliveries: 'requests that used up max_deliver',
  terminated: 'requests a worker terminated',
};

const capture: Rule = {
  id: 'SPEC_DLQ_CAPTURE',
  severity: 'warning',
  why: 'The server tells of max_deliver used up and of a termination on two subjects; what no stream captures is lost. A terminated request is deleted from a workqueue at once, so its advisory is all that is left.',
  *check(view) {
    for (const { name, path, dlq } of dlqs(view)) {
      // Subjects of its own say themselves what is captured; the next rule reads those.
      if (view.node([...path, 'subjects'])) continue;
      for (const kind of KINDS) {
        if (dlq.capture.includes(kind)) continue;
        yield {
          path: [...path, 'capture'],
          message: `the DLQ ${name} misses ${DEATHS[kind]}`,
          hint: 'leave capture out: it means both.',
        };
      }
    }
  },
};

const subjects: Rule = {
  id: 'SPEC_DLQ_SUBJECTS',
  severity: 'error',
  why: 'Advisories are sent once and to nobody in particular; a subject that misses them loses every dead letter silently.',
  reads: ['capture', 'consumers', 'queues', 'streams'],
  compares: true,
  *check(view) {
    for (const { name, path, queue, config, dlq } of dlqs(view)) {
      for (const kind of dlq.capture) {
        if (capturesAll(textsOf(config.subjects), kind, queue.name, Object.keys(queue.spec.consumers))) continue;
        yield {
          path: [...path, 'subjects'],
          message: `the subjects of the DLQ ${name} miss ${DEATHS[kind]}: ${advisorySubject(kind, queue.name)}`,
          hint: 'leave subjects out: they follow from the queue and capture.',
        };
      }
    }
    const streams = view.streams.map(({ name }) => name);
    for (const { role, config, path } of view.streams) {
      if (role !== 'other') continue;
      for (const [at, subject] of textsOf(config.subjects).entries()) {
        const kind = KINDS.find((each) => subject.startsWith(`${ADVISORY[each]}.`));
        if (!kind || streams.some((name) => subjectsOverlap(subject, advisorySubject(kind, name)))) continue;
        yield {
          path: [...path, 'subjects', at],
          message: `${subject} captures the dead letters of a stream this spec does not declare`,
          hint: 'declare a `dlq` below its queue: the subjects then follow from it.',
        };
      }
    }
  },
};

const retention: Rule = {
  id: 'SPEC_DLQ_RETENTION',
  severity: 'error',
  why: 'With workqueue or interest an entry goes when somebody reads it (or at once, with no consumer): it cannot be browsed, counted or replayed.',
  *check(view) {
    for (const { name, config, path } of dlqs(view)) {
      if (config.retention === 'limits') continue;
      yield {
        path: [...path, 'retention'],
        message: `the DLQ ${name} has retention ${config.retention}`,
        hint: 'leave retention out.',
        mend: { write: 'limits' },
      };
    }
  },
};

const dangling: Rule = {
  id: 'SPEC_DLQ_DANGLING',
  severity: 'warning',
  why: 'An entry is a pointer: when the queue’s max_age has taken the request, it can no longer be read or replayed.',
  reads: ['max_age'],
  *check(view) {
    for (const { name, config, path, queue } of dlqs(view)) {
      const [mine, source] = [settingOf(config, 'max_age', 0), settingOf(queue.spec.config, 'max_age', 0)];
      if (source === 0 || (mine !== 0 && mine <= source)) continue;
      yield {
        path: [...path, 'max_age'],
        message: `the DLQ ${name} keeps entries ${mine === 0 ? 'for ever' : printDuration(mine)}, but queue ${queue.name} keeps requests ${printDuration(source)}`,
        hint: `write max_age: ${printDuration(source)} here, or let the queue keep requests longer.`,
      };
    }
  },
};

/** Long enough for a weekend and a holiday before somebody looks. */
const LOOKED_AT = 86_400e9;

const outlived: Rule = {
  id: 'SPEC_DLQ_OUTLIVED',
  severity: 'warning',
  why: 'A dead request stays in the queue and takes up its limits; without its entry it is found only by a slow search for orphans.',
  reads: ['max_age'],
  *check(view) {
    for (const { name, config, path, queue } of dlqs(view)) {
      const [mine, source] = [settingOf(config, 'max_age', 0), settingOf(queue.spec.config, 'max_age', 0)];
      // A queue that keeps requests for ever is usual; entries that are gone within a day are not.
      if (mine === 0 || (source === 0 ? mine >= LOOKED_AT : mine >= source)) continue;
      yield {
        path: [...path, 'max_age'],
        message: `the DLQ ${name} keeps entries ${printDuration(mine)}, but queue ${queue.name} keeps requests ${source === 0 ? 'for ever' : printDuration(source)}`,
        hint: `write ${source === 0 ? '30d' : printDuration(source)}, or leave max_age out.`,
      };
    }
  },
};

const cap: Rule = {
  id: 'SPEC_DLQ_CAP',
  severity: 'warning',
  why: 'Every request of a queue can die; when the DLQ is full, entries are dropped (discard old) or never stored (discard new).',
  *check(view) {
    for (const { name, config, path, queue } of dlqs(view)) {
      const source = queue.spec.config;
      if (!isLimited(config, 'max_msgs') || !isLimited(source, 'max_msgs')) continue;
      if (settingOf(config, 'max_msgs', 0) >= settingOf(source, 'max_msgs', 0)) continue;
      yield {
        path: [...path, 'max_msgs'],
        message: `the DLQ ${name} holds ${config.max_msgs} entries, but queue ${queue.name} ${source.max_msgs} requests`,
        hint: `write max_msgs: ${source.max_msgs} or more, or leave it out.`,
      };
    }
  },
};

const responseTtl: Rule = {
  id: 'SPEC_RESPONSE_TTL',
  severity: 'warning',
  why: 'A client that waits through every retry must still find the answer; a shorter ttl can take it away before the client looks.',
  reads: ['backoff', 'ack_wait'],
  *check(view) {
    for (const { name, config, path, queue } of view.buckets) {
      const ttl = settingOf(config, 'ttl', 0);
      if (!queue || ttl === 0) continue;
      const mine = view.consumers.filter(({ stream }) => stream.queue === queue);
      const longest = Math.max(0, ...mine.map((consumer) => scheduleOf(consumer) ?? 0));
      if (ttl >= longest) continue;
      yield {
        path: [...path, 'ttl'],
        message: `responses in ${name} live ${printDuration(ttl)}, but a request of ${queue.name} may be tried for ${printDuration(longest)}`,
        hint: `write ttl: ${printDuration(longest * 2)} or more.`,
      };
    }
  },
};

export const dlqRules: readonly Rule[] = [capture, subjects, retention, dangling, outlived, cap, responseTtl];
