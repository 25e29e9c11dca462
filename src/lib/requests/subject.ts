import { nearest } from '../errors/nearest.ts';
import { OpsError } from '../errors/ops-error.ts';
import { isPlainSubject, subjectCovers } from '../facts/subjects.ts';

/**
 * The subject of a kind of request under one subject of a queue: `dns` under `requests.*` is `requests.dns`.
 * `undefined` where it has no place there. A kind that is a whole subject of the queue is that subject.
 */
export function subjectUnder(pattern: string, kind: string): string | undefined {
  if (subjectCovers(pattern, kind)) return kind;
  const tokens = kind.split('.');
  const filled: string[] = [];
  let isOpen = false;
  for (const token of pattern.split('.')) {
    if (token === '>') {
      if (tokens.length === 0) return undefined;
      filled.push(...tokens.splice(0));
      isOpen = true;
    } else if (token === '*') {
      const next = tokens.shift();
      if (next === undefined) return undefined;
      filled.push(next);
      isOpen = true;
    } else filled.push(token);
  }
  if (isOpen) return tokens.length === 0 ? filled.join('.') : undefined;
  return pattern.endsWith(`.${kind}`) ? pattern : undefined;
}

/** The kind under one subject of a queue that a request's subject stands for: `dns` for `requests.dns` under `requests.*`. */
export function kindUnder(pattern: string, subject: string): string | undefined {
  const parts = subject.split('.');
  const open = pattern
    .split('.')
    .flatMap((token, at) => (token === '>' ? parts.slice(at) : token === '*' ? parts[at]! : []));
  const kind = open.length > 0 ? open.join('.') : parts.at(-1)!;
  return subjectCovers(pattern, subject) && subjectUnder(pattern, kind) === subject ? kind : undefined;
}

/** A queue with the subjects it takes. */
export interface Takes {
  readonly queue: string;
  readonly subjects: readonly string[];
}

export interface ChosenSubject {
  readonly queue: string;
  readonly subject: string;
}

/**
 * The one subject, and its queue, that a kind means among these queues.
 * @throws OpsError REQUEST_UNKNOWN_KIND where there is none, USAGE where there are several
 */
export function chooseSubject(queues: readonly Takes[], kind: string): ChosenSubject {
  if (!isPlainSubject(kind)) {
    throw new OpsError('REQUEST_UNKNOWN_KIND', `${JSON.stringify(kind)} cannot be a kind of request`, {
      why: 'It becomes part of a subject, which holds no space, no * or > and no empty part.',
      hints: ['write the last part of the subject, such as dns'],
    });
  }
  const found = new Map<string, ChosenSubject>();
  for (const { queue, subjects } of queues) {
    for (const pattern of subjects) {
      const subject = subjectUnder(pattern, kind);
      if (subject !== undefined) found.set(`${queue} ${subject}`, { queue, subject });
    }
  }
  const all = [...found.values()];
  if (all.length === 1) return all[0]!;
  if (all.length === 0) throw unknownKind(queues, kind);
  throw new OpsError('USAGE', `${kind} may mean several subjects`, {
    why: `They are ${all.map(({ queue, subject }) => `${subject} (${queue})`).join(', ')}.`,
    hints: ['name the queue with --queue, or the whole subject with --subject'],
  });
}

function unknownKind(queues: readonly Takes[], kind: string): OpsError {
  const subjects = queues.flatMap((queue) => queue.subjects);
  const lasts = subjects.map((subject) => subject.split('.').at(-1)!).filter((last) => last !== '*' && last !== '>');
  const [near] = nearest(kind, lasts);
  return new OpsError('REQUEST_UNKNOWN_KIND', `no queue takes requests of the kind ${kind}`, {
    where: queues.map(({ queue }) => queue).join(', '),
    why: `The subjects here are ${subjects.slice(0, 20).join(', ') || 'none'}.`,
    hints: [
      near === undefined ? 'check the kind, or name a subject with --subject' : `did you mean ${near}?`,
      'add its subject to the queue in the spec, and apply it',
    ],
  });
}
