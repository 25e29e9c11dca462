import { capturesOf } from '../facts/captures.ts';
import { CONSUMER_ADVISORY, REJECTED_PREFIX } from '../facts/names.ts';
import { subjectCovers, subjectsOverlap } from '../facts/subjects.ts';
import { textsOf } from '../model/json.ts';
import type { Finding } from '../model/plan.ts';
import { printDuration, printSize } from '../model/units.ts';
import { type Analyzer, changed, counted, labelOf } from './subject.ts';

const at = (value: unknown): number => (Number(value) > 0 ? Number(value) : Number.POSITIVE_INFINITY);

/** A limit below what is stored, with discard new: nothing goes, and every publisher is refused. */
export const publishersRefused: Analyzer = (subject) => {
  const { change, after, observed, key } = subject;
  if (!after || !observed || observed.kind === 'consumer') return [];
  if (change.kind === 'stream' && after.discard !== 'new') return [];
  const { messages, bytes } = observed.figures;
  const limits = [
    { field: 'max_msgs', used: messages, limit: at(after.max_msgs), text: String, what: 'messages' },
    { field: 'max_bytes', used: bytes, limit: at(after.max_bytes), text: printSize, what: 'stored' },
  ];
  return limits
    .filter(({ field, used, limit }) => used >= limit && (changed(subject, field) || changed(subject, 'discard')))
    .map(({ field, used, limit, text, what }) => ({
      code: 'RISK_PUBLISH_REFUSED',
      severity: 'warning' as const,
      resource: key,
      field,
      message: `${labelOf(subject)}: ${field} ${text(limit)} is no more than the ${text(used)} ${what}; nothing is deleted, but publishers are refused (10077) until it has drained`,
      hint: `set ${field} above ${text(used)}, or drain first`,
    }));
};

/** discard old drops requests nobody has worked on; discard new refuses publishers. */
export const discardChange: Analyzer = (subject) => {
  const { after, before, key } = subject;
  if (!changed(subject, 'discard') || !after || !before) return [];
  const limited = at(after.max_msgs) < Number.POSITIVE_INFINITY || at(after.max_bytes) < Number.POSITIVE_INFINITY;
  const old = after.discard === 'old';
  const message = old
    ? `${labelOf(subject)}: at its limit it will drop the oldest messages, unprocessed ones too, and no publisher will notice`
    : `${labelOf(subject)}: at its limit it will refuse publishers (10077) instead of dropping the oldest`;
  return [
    {
      code: 'RISK_DISCARD',
      severity: old && limited && after.retention === 'workqueue' ? 'warning' : 'info',
      resource: key,
      field: 'discard',
      message,
    },
  ];
};

/** A shorter duplicate window forgets ids of retries and replays that are still on their way. */
export const duplicateWindow: Analyzer = (subject) => {
  const { before, after, key } = subject;
  if (!changed(subject, 'duplicate_window') || !before || !after) return [];
  const [from, to] = [Number(before.duplicate_window), Number(after.duplicate_window)];
  if (to >= from) return [];
  return [
    {
      code: 'RISK_DUPLICATES',
      severity: 'warning',
      resource: key,
      field: 'duplicate_window',
      message: `${labelOf(subject)}: a request or replay repeated after ${printDuration(to)} (until now ${printDuration(from)}) is stored twice`,
      hint: 'keep it longer than the longest pause between a failed publish and its retry',
    },
  ];
};

/**
 * Subjects that the stream no longer stores. No two streams may hold one at a time, so one that moves belongs to nobody
 * for a moment: a publisher that waits for its confirmation is told so, any other loses what it publishes then.
 */
export const droppedSubjects: Analyzer = (subject, world) => {
  const { before, after, key } = subject;
  if (!changed(subject, 'subjects') || !before || !after) return [];
  const kept = after.subjects as string[];
  const dropped = (before.subjects as string[]).filter((each) => !kept.some((one) => subjectCovers(one, each)));
  const base = { code: 'RISK_SUBJECTS', severity: 'warning', resource: key, field: 'subjects' } as const;
  const takersOf = (each: string): string[] =>
    [...world.desired.values()]
      .filter(({ config }) => config !== subject.desired?.config)
      .filter(({ config }) => textsOf(config.subjects).some((one) => subjectsOverlap(one, each)))
      .map(({ name }) => name);
  const gone: string[] = [];
  const moved: string[] = [];
  const unheard = new Set<string>();
  for (const each of dropped) {
    const takers = takersOf(each);
    const isOfDeaths = [CONSUMER_ADVISORY, REJECTED_PREFIX].some((prefix) => subjectCovers(`${prefix}.>`, each));
    const [capture] = isOfDeaths ? capturesOf({ subjects: [each] }) : [];
    if (takers.length === 0 && capture) {
      // Of what goes, or has another name from now on, nothing is told there any more.
      if (!world.deleted.has(`stream ${capture.queue}`)) unheard.add(capture.queue ?? 'any queue');
    } else if (takers.length > 0) moved.push(`${each} to ${takers.join(' and ')}`);
    else gone.push(each);
  }
  const findings: Finding[] = [];
  if (unheard.size > 0) {
    const message = `${labelOf(subject)}: what dies in ${[...unheard].join(', ')} is recorded here no more; what is recorded stays`;
    findings.push({ ...base, message });
  }
  if (gone.length > 0) {
    const message = `${labelOf(subject)}: ${counted(gone.length, 'subject')} no longer stored (${gone.join(', ')}); publishers there are told "no responders"`;
    findings.push({ ...base, message });
  }
  if (moved.length > 0) {
    findings.push({
      ...base,
      message: `${labelOf(subject)}: ${moved.join(', ')} moves; what is stored stays here, and between the two updates publishers are told "no responders"`,
      hint: 'publishers that retry lose nothing; those that wait for no confirmation should pause meanwhile',
    });
  }
  return findings;
};

const ONE_WAY: Readonly<Record<string, string>> = {
  deny_delete: 'messages can never again be deleted one by one, so dead letters cannot be replayed',
  deny_purge: 'the stream can never again be purged',
  allow_msg_ttl: 'it cannot be turned off again',
  allow_msg_schedules: 'it cannot be turned off again',
};

/** Switches that no later apply can turn back. */
export const oneWay: Analyzer = (subject) => {
  const { after, key } = subject;
  if (!after) return [];
  const findings = Object.entries(ONE_WAY)
    .filter(([field]) => changed(subject, field) && after[field] === true)
    .map(([field, what]) => ({
      code: 'RISK_ONE_WAY',
      severity: 'warning' as const,
      resource: key,
      field,
      message: `${labelOf(subject)}: ${field} is for good: ${what}`,
    }));
  if (!changed(subject, 'sealed') || after.sealed !== true) return findings;
  const message = `${labelOf(subject)}: sealed is for good: publishers, acks and every later change are refused (10109)`;
  return [
    ...findings,
    { code: 'RISK_ONE_WAY', severity: 'refuse', resource: key, field: 'sealed', message, needs: 'allow-data-loss' },
  ];
};

/** A stream that turns to interest retention lets messages go that no consumer waits for. */
export const interestRetention: Analyzer = (subject) => {
  const { after, observed, key } = subject;
  if (!changed(subject, 'retention') || after?.retention !== 'interest') return [];
  if (!observed || observed.kind === 'consumer' || observed.figures.messages === 0) return [];
  const { messages, consumer_count } = observed.figures;
  const which = consumer_count === 0 ? `all ${counted(messages, 'message')}` : `up to ${counted(messages, 'message')}`;
  const message = `${labelOf(subject)}: retention interest deletes ${which} that no consumer waits for`;
  const hint = 'create the consumers first, or keep retention as it is';
  const base = { code: 'RISK_DATA_LOSS', resource: key, field: 'retention', count: messages } as const;
  return [{ ...base, severity: 'refuse', message, hint, needs: 'allow-data-loss' }];
};
