import { isSubject, SubjectIndex } from '../../facts/subject-index.ts';
import { subjectsOverlap } from '../../facts/subjects.ts';
import { listOf, objectOf, textOf, textsOf } from '../../model/json.ts';
import type { Rule } from './rule.ts';
import { type ConsumerView, isTransformed, type StreamView, type View, writtenFilters } from './view.ts';

const invalid: Rule = {
  id: 'SPEC_SUBJECT',
  severity: 'error',
  why: 'A subject is tokens with dots between, without blanks; `*` stands for one token and `>`, at the end, for all that follow (err_code 10052).',
  reads: ['no_ack'],
  *check(view) {
    const told = (subject: string, path: readonly (string | number)[]) => ({
      path,
      message: `${JSON.stringify(subject)} is no subject`,
      hint: 'write tokens with single dots between them, such as orders.new or orders.>.',
    });
    for (const { config, path } of view.streams) {
      for (const [index, subject] of textsOf(config.subjects).entries()) {
        if (!isSubject(subject)) yield told(subject, [...path, 'subjects', index]);
        else if (subjectsOverlap(subject, '$JS.API.>') && config.no_ack !== true) {
          yield {
            path: [...path, 'subjects', index],
            message: `${subject} takes in JetStream’s own requests`,
            why: 'The server refuses a stream on its API’s subjects (err_code 10052).',
            hint: 'name the subjects of your own messages.',
          };
        }
      }
    }
    for (const { config, path, name } of view.streams) {
      const dest = textOf(objectOf(config.republish).dest);
      if (!/^\$(?:JS|SYS)\./.test(dest)) continue;
      yield {
        path: [...path, 'republish', 'dest'],
        message: `what ${name} stores would be sent to ${dest}, as a request to the server`,
        why: 'The server carries out what is republished to its own subjects, with its own rights (2.10 to 2.15).',
        hint: 'republish to a subject of your own.',
      };
    }
    for (const consumer of view.consumers) {
      const wrong = writtenFilters(consumer).find((subject) => !isSubject(subject));
      if (wrong === undefined) continue;
      const field = consumer.config.filter_subject === wrong ? 'filter_subject' : 'filter_subjects';
      yield told(wrong, [...consumer.path, field]);
    }
  },
};

/** Quotes that an editor or a chat put around a text: YAML takes them for part of it. */
const QUOTED =
  /^[\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"'`\u00b4]|[\u2018\u2019\u201c\u201d\u00ab\u00bb\u2039\u203a"'`\u00b4]$/;

const quoted: Rule = {
  id: 'SPEC_SUBJECT_QUOTED',
  severity: 'error',
  why: 'YAML knows only " and \' as quotes; “…” and their like become part of the subject, on which nobody publishes.',
  *check(view) {
    for (const { subject, path } of subjectsWritten(view)) {
      if (!QUOTED.test(subject)) continue;
      yield {
        path,
        message: `${subject} has quotes that belong to the subject`,
        hint: 'write straight quotes around it: "orders.new".',
      };
    }
  },
};

/** Every subject, filter or pattern of a spec, with its place. */
function* subjectsWritten({ streams, consumers }: View): Generator<{ subject: string; path: (string | number)[] }> {
  const one = (value: unknown, path: (string | number)[]) => ({ subject: textOf(value), path });
  const list = (value: unknown, path: readonly (string | number)[]) =>
    textsOf(value).map((each, index) => one(each, [...path, index]));
  const pair = (value: unknown, path: readonly (string | number)[]) =>
    ['src', 'dest'].map((part) => one(objectOf(value)[part], [...path, part]));
  for (const { config, path } of streams) {
    yield* list(config.subjects, [...path, 'subjects']);
    for (const field of ['republish', 'subject_transform']) yield* pair(config[field], [...path, field]);
    for (const [index, source] of listOf(config.sources).entries())
      yield one(objectOf(source).filter_subject, [...path, 'sources', index, 'filter_subject']);
  }
  for (const { config, path } of consumers) {
    for (const field of ['filter_subject', 'deliver_subject']) yield one(config[field], [...path, field]);
    yield* list(config.filter_subjects, [...path, 'filter_subjects']);
  }
}

const overlap: Rule = {
  id: 'SPEC_SUBJECTS_OVERLAP',
  severity: 'error',
  why: 'The server refuses a stream whose subjects overlap another’s (err_code 10065) or one another (10052).',
  reads: ['mirror', 'sources', 'capture'],
  compares: true,
  *check(view) {
    const index = new SubjectIndex<StreamView>();
    for (const stream of view.streams) {
      for (const [at, subject] of (stream.subjects ?? []).entries()) {
        if (!isSubject(subject)) continue;
        // A DLQ that several queues share stands in the list once for each.
        const other = index.overlapping(subject).find(({ value }) => value === stream || value.name !== stream.name);
        index.add(subject, stream);
        if (!other) continue;
        const written = stream.config.subjects !== undefined;
        const within = other.value === stream;
        yield {
          path: written ? [...stream.path, 'subjects', at] : stream.path,
          message: within
            ? `${subject} and ${other.subject} of ${stream.name} overlap`
            : `${subject} of ${stream.name} overlaps ${other.subject} of ${other.value.name}`,
          hint: within
            ? 'keep the wider one.'
            : 'a message belongs to one stream: narrow one of them, or let one stream source from the other.',
        };
      }
    }
  },
};

const unmatched: Rule = {
  id: 'SPEC_FILTER_UNMATCHED',
  severity: 'error',
  why: 'The server takes a filter that matches nothing; the consumer then waits for ever and its messages are never worked.',
  reads: ['subjects', 'subject_transform', 'mirror', 'sources'],
  *check(view) {
    for (const consumer of view.consumers) {
      const { subjects, config, name } = consumer.stream;
      // A transform stores messages under other subjects than they came on.
      if (!subjects || isTransformed(config)) continue;
      for (const filter of writtenFilters(consumer)) {
        if (!isSubject(filter) || subjects.some((subject) => subjectsOverlap(subject, filter))) continue;
        yield {
          path: pathOfFilter(consumer, filter),
          message: `the filter ${filter} of ${name}/${consumer.name} matches no subject of ${name} (${subjects.join(', ')})`,
          hint: `filter on what ${name} stores, or leave the filter out.`,
        };
      }
    }
  },
};

function pathOfFilter({ path, config }: ConsumerView, filter: string): (string | number)[] {
  if (config.filter_subject === filter) return [...path, 'filter_subject'];
  return [...path, 'filter_subjects', textsOf(config.filter_subjects).indexOf(filter)];
}

const both: Rule = {
  id: 'SPEC_FILTERS_BOTH',
  severity: 'error',
  why: 'The server refuses both at once (err_code 10136).',
  *check(view) {
    for (const { name, config, path, stream } of view.consumers) {
      if (!config.filter_subject || textsOf(config.filter_subjects).length === 0) continue;
      yield {
        path: [...path, 'filter_subject'],
        message: `consumer ${stream.name}/${name} has both filter_subject and filter_subjects`,
        hint: 'put all of them into filter_subjects.',
      };
    }
  },
};

const filtersOverlap: Rule = {
  id: 'SPEC_FILTERS_OVERLAP',
  severity: 'error',
  why: 'The server refuses a list in which one filter matches what another does (err_code 10138).',
  *check(view) {
    for (const { name, config, path, stream } of view.consumers) {
      const index = new SubjectIndex<number>();
      for (const [at, filter] of textsOf(config.filter_subjects).entries()) {
        const other = index.overlapping(filter)[0];
        index.add(filter, at);
        if (!other) continue;
        yield {
          path: [...path, 'filter_subjects', at],
          message: `the filters ${other.subject} and ${filter} of ${stream.name}/${name} overlap`,
          hint: 'keep the wider one.',
        };
      }
    }
  },
};

export const subjectRules: readonly Rule[] = [invalid, quoted, overlap, unmatched, both, filtersOverlap];
