import { OpsError } from '../../errors/ops-error.ts';
import { ADVISORY, bucketStream, LEDGER_BUCKET } from '../../facts/names.ts';
import { isPlainSubject } from '../../facts/subjects.ts';
import type { QueueRef } from '../../model/entry.ts';
import { textsOf } from '../../model/json.ts';
import { ownPrefixes, whyForbidden, whyNotTaken } from '../../nats/address.ts';
import { orThrow, orUndefined } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { notKept, whyNotKept } from '../../nats/keeps.ts';
import { readStream, streamNames } from '../../nats/streams.ts';

/** Why no copy goes into a stream of dead letters, or the ledger's: there it would be none of what lies there. */
function whyNoTarget({ name, config }: StreamInfo, queues: readonly QueueRef[]): string | undefined {
  const isDlq =
    queues.some(({ dlqs }) => dlqs.includes(name)) ||
    textsOf(config.subjects).some((subject) => Object.values(ADVISORY).some((kind) => subject.startsWith(`${kind}.`)));
  if (isDlq) return `stream ${name} is a DLQ: a copy there is no dead letter`;
  return name === bucketStream(LEDGER_BUCKET) ? `stream ${name} is the ledger` : undefined;
}

/**
 * The stream that `--to` means. @throws OpsError USAGE where no stream takes it, or nothing of a message goes there;
 * DLQ_NOT_TAKEN where the stream would keep nothing
 */
export async function targetOf(nats: Nats, subject: string, queues: readonly QueueRef[]): Promise<StreamInfo> {
  const never = isPlainSubject(subject)
    ? whyForbidden(subject, 'named', ownPrefixes(nats))
    : 'it is no subject of one message: it has a wildcard, a blank or an empty part';
  const [name] = never === undefined ? await orThrow(streamNames(nats, { subject, enough: 1 })) : [];
  const stream = name === undefined ? undefined : await orUndefined(readStream(nats, name));
  const why =
    never ??
    (stream
      ? (whyNotTaken(stream, subject, 'named', ownPrefixes(nats)) ?? whyNoTarget(stream, queues))
      : 'no stream captures it: what is replayed to it would be lost');
  if (stream && why === undefined) {
    const unkept = whyNotKept(stream, { messages: 0, bytes: 0, onSubject: 0 });
    if (unkept?.code === 'DLQ_NOT_TAKEN') throw notKept(unkept);
    return stream;
  }
  throw new OpsError('USAGE', `--to ${JSON.stringify(subject)}: ${why}`, {
    where: '--to',
    why: 'Nothing was published or removed.',
    hints: ['name a subject that a stream of yours takes, without wildcards, and none that begins with `$` or `_`'],
  });
}
