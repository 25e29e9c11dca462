import { OpsError } from '../errors/ops-error.ts';
import { isPlainSubject, subjectCovers } from '../facts/subjects.ts';
import { isObject, textOf, textsOf } from '../model/json.ts';
import type { StreamInfo } from './info.ts';
import type { Nats } from './port.ts';

/**
 * What a copy is: a stored message that is to lie under its subject again, one whose subject a person named, or a
 * record of a DLQ, which may lie on the server's advisory subjects.
 */
export type CopyKind = 'stored' | 'named' | 'record';

/** Subjects that a server or a client acts on, by their first part: nothing of a message or an archive goes there. */
const RESERVED = ['$JS', '$SYS'];
const ADVISORIES = '$JS.EVENT.';

/**
 * Why nothing of a message or an archive is ever published on this subject: a subject that no stream takes may be obeyed
 * instead of stored (`$JS.API.STREAM.DELETE.X`), and `Nats-Expected-Stream` guards nothing there. `prefixes` are those of
 * the connection: its API and its inboxes.
 */
export function whyForbidden(subject: string, kind: CopyKind, prefixes: readonly string[]): string | undefined {
  if (!isPlainSubject(subject)) return 'its subject is none that a message can have';
  const isAdvisory = kind === 'record' && subject.startsWith(ADVISORIES);
  const isReserved =
    [...RESERVED, ...prefixes].some((prefix) => `${subject}.`.startsWith(`${prefix}.`)) ||
    (kind === 'named' && /^[$_]/.test(subject));
  if (!isReserved || isAdvisory) return undefined;
  return `its subject ${subject} is the server's own${kind === 'named' ? ", or a bucket's" : ''}: nothing is published there`;
}

/** Why a copy must not be published on this subject; `undefined` where the stream takes it. */
export function whyNotTaken(
  { name, config }: Pick<StreamInfo, 'name' | 'config'>,
  subject: string,
  kind: CopyKind,
  prefixes: readonly string[],
): string | undefined {
  const why = whyForbidden(subject, kind, prefixes);
  if (why !== undefined) return why;
  const subjects = textsOf(config.subjects);
  const [first = ''] = subject.split('.', 1);
  // A wildcard is not meant for what begins like this: those are buckets, inboxes and the server's replies.
  const takes = (pattern: string) =>
    subjectCovers(pattern, subject) && (!/^[$_]/.test(first) || pattern.split('.', 1)[0] === first);
  if (!subjects.some(takes)) {
    const taken = subjects.length === 0 ? 'nothing from publishers' : subjects.join(', ');
    return `stream ${name} does not take ${subject} (it takes ${taken})`;
  }
  const { subject_transform: transform } = config;
  if (kind === 'stored' && isObject(transform) && subjectCovers(textOf(transform.src) || '>', subject))
    return `stream ${name} would store ${subject} under another subject (subject_transform)`;
  return undefined;
}

/** The prefixes of a connection on which nothing of a message is published. */
export const ownPrefixes = ({ settings }: Nats): readonly string[] => [settings.apiPrefix, settings.inboxPrefix];

export const notTaken = (why: string, cause?: unknown): OpsError =>
  new OpsError('DLQ_NOT_TAKEN', why, {
    why: 'A copy goes where it belongs, or nowhere. Nothing was published or removed.',
    hints: ['send it elsewhere with `dlq replay --to SUBJECT`', 'or give the stream the subject back and apply it'],
    ...(cause !== undefined && { cause }),
  });
