import { capturesOf, serves } from '../facts/captures.ts';
import type { Finding } from '../model/plan.ts';
import { type StreamFigures, splitConsumerName } from '../model/resource.ts';
import { givenUp } from './dead.ts';
import { type Analyzer, counted, heldBy, labelOf, type Subject, type World } from './subject.ts';

const fieldsOf = (subject: Subject): string =>
  subject.change.fields
    .filter((field) => field.impact === 'replace')
    .map((field) => field.path)
    .join(', ');

/** A consumer made anew starts over: what it is given again, and what it forgets. */
function consumerAgain(subject: Subject, world: World): Finding[] {
  const { key, change, observed, after } = subject;
  if (observed?.kind !== 'consumer') return [];
  const { stream: name } = splitConsumerName(change.name);
  const stream = world.observed.resources.get(`stream ${name}`);
  // Made anew with its stream it finds nothing there.
  if (stream?.kind !== 'stream' || world.replaced.has(`stream ${name}`)) return [];
  const flight = observed.figures.num_ack_pending;
  const waiting = observed.figures.num_pending;
  const base = { code: 'RISK_REDELIVERY', severity: 'warning', resource: key } as const;
  if (after?.deliver_policy === 'new' && waiting + flight > 0) {
    const message = `${labelOf(subject)}: with deliver_policy new, ${counted(waiting + flight, 'message')} waiting or in flight are never delivered by it`;
    return [{ ...base, message, count: waiting + flight, severity: 'refuse', needs: 'allow-data-loss' }];
  }
  const findings: Finding[] = [];
  if (stream.config.retention === 'workqueue') {
    const again = givenUp({ figures: stream.figures, config: stream.config }, observed);
    if (again.count > 0) {
      const amount = again.exact ? '' : 'up to ';
      findings.push({
        ...base,
        message: `${labelOf(subject)}: re-creating it redelivers ${amount}${counted(again.count, 'message')} that it gave up, answered since or not, with their delivery count at 1; their DLQ entries stay`,
        hint: 'replay or purge the dead letters first (`osapi-ops dlq replay` or `osapi-ops dlq purge`), or expect them again',
        count: again.count,
      });
    }
  } else if (stream.figures.messages > 0) {
    findings.push({
      ...base,
      message: `${labelOf(subject)}: re-creating it delivers up to ${counted(stream.figures.messages, 'stored message')} again, acknowledged ones too`,
      count: stream.figures.messages,
    });
  }
  if (flight > 0) {
    findings.push({
      ...base,
      message: `${labelOf(subject)}: ${counted(flight, 'message')} in flight will be delivered again, and acks of the present deliveries are lost`,
      hint: 'stop the workers first, or let them finish',
      count: flight,
    });
  }
  return findings;
}

const TAKE_OUT =
  'to keep the dead as they are, take them out before (`osapi-ops dlq export`, then `osapi-ops dlq purge`)';

/**
 * A consumer that somebody deleted is mended like any drift, and what it had settled is forgotten: it begins with the
 * first message again. Of one that was never applied the DLQ tells whether there was another before it.
 */
export const recreated: Analyzer = ({ key, change, after }, { applied, observed, index, replaced }) => {
  if (change.action !== 'create' || change.kind !== 'consumer') return [];
  const { stream: name } = splitConsumerName(change.name);
  const stream = observed.resources.get(`stream ${name}`);
  if (stream?.kind !== 'stream' || replaced.has(`stream ${name}`)) return [];
  const { messages: count } = stream.figures;
  if (count === 0 || after?.deliver_policy !== 'all') return [];
  const isWorkqueue = stream.config.retention === 'workqueue';
  if (!applied.has(key)) {
    if (stream.figures.consumer_count > 0) return [];
    const dlqs = index.streams.filter(({ config }) => serves(capturesOf(config), name));
    const records = dlqs.reduce((sum, { figures }) => sum + (figures as StreamFigures).messages, 0);
    if (dlqs.length > 0 ? records === 0 : !isWorkqueue) return [];
    const dead =
      dlqs.length > 0
        ? `up to ${Math.min(records, count)} of them dead by the records in ${dlqs.map((dlq) => dlq.name).join(', ')}`
        : 'whether some of them died at a consumer before is not known, for no DLQ tells';
    const message = `consumer ${change.name} delivers up to ${counted(count, 'stored message')} from the first on, with their delivery count at 1: ${dead}`;
    return [{ code: 'RISK_REDELIVERY', severity: 'warning', resource: key, message, hint: TAKE_OUT, count }];
  }
  return [
    {
      code: 'RISK_REDELIVERY',
      severity: 'warning',
      resource: key,
      message: `consumer ${change.name} was deleted: created anew it delivers up to ${counted(count, 'stored message')} from the first on, ${isWorkqueue ? 'dead ones' : 'dead and acknowledged ones'} too, with their delivery count at 1; DLQ entries stay`,
      hint: TAKE_OUT,
      count,
    },
  ];
};

/** A stream or bucket made anew is empty, and its consumers go with it. */
function streamGone(subject: Subject, world: World): Finding[] {
  const { key, change, observed } = subject;
  if (!observed || observed.kind === 'consumer') return [];
  const { messages, consumer_count } = observed.figures;
  const findings: Finding[] = [];
  if (messages > 0) {
    findings.push({
      code: 'RISK_DATA_LOSS',
      severity: 'refuse',
      resource: key,
      message: `${labelOf(subject)}: replacing it deletes all ${heldBy(change.kind, messages)}`,
      hint: 'the way round: make a new one under another name beside it, let this one run empty, then remove it',
      needs: 'allow-data-loss',
      count: messages,
    });
  }
  const kept = [...world.desired.values()].filter(
    ({ kind, name }) => kind === 'consumer' && splitConsumerName(name).stream === change.name,
  ).length;
  if (consumer_count > 0 && change.kind === 'stream') {
    findings.push({
      code: 'RISK_REPLACE',
      severity: 'warning',
      resource: key,
      message: `${labelOf(subject)}: its ${counted(consumer_count, 'consumer')} and all delivery counts go with it; the spec makes ${kept} of them again`,
      count: consumer_count,
    });
  }
  return findings;
}

/** An immutable change: never a silent delete. Names the field, what goes, and the way round. */
export const replace: Analyzer = (subject, world) => {
  const { action, moved_from: before } = subject.change;
  if (action === 'replace') return replaced(subject, world);
  // Another name is had by moving only; what goes along with its stream is told there.
  const isEither = action === 'migrate' && before === undefined && world.moves.get(subject.key)?.is === 'movable';
  if (!isEither || world.migrate) return [];
  return replaced(subject, world).map((finding) => ({ ...finding, unless: 'migrate' }));
};

function replaced(subject: Subject, world: World): Finding[] {
  const { change, key } = subject;
  const consumer = change.kind === 'consumer';
  const paths = fieldsOf(subject);
  const refusal: Finding = {
    code: 'RISK_REPLACE',
    severity: 'refuse',
    resource: key,
    message: `${labelOf(subject)} must be deleted and made again${paths ? ` to change ${paths}` : ''}`,
    hint: consumer
      ? 'the way round: keep the field as it is on the server, or stop the workers, let the queue run empty and replace it then'
      : 'the way round: keep the field as it is on the server, or make a new one under another name and let this one run empty',
    needs: 'allow-replace',
    ...(paths ? { field: paths } : {}),
  };
  return [refusal, ...(consumer ? consumerAgain(subject, world) : streamGone(subject, world))];
}

/** A deletion by `--prune`: harmless where nothing is inside. */
export const deletion: Analyzer = (subject) => {
  const { change, observed, key } = subject;
  if (change.action !== 'delete' || !observed) return [];
  if (observed.kind === 'consumer') {
    const { num_pending, num_ack_pending } = observed.figures;
    const held = num_pending + num_ack_pending;
    if (held === 0) return [];
    const message = `${labelOf(subject)}: nobody delivers its ${counted(held, 'waiting message')} any more; they stay in the stream`;
    return [{ code: 'RISK_DELETE', severity: 'warning', resource: key, message, count: held }];
  }
  const { messages } = observed.figures;
  if (messages === 0) return [];
  return [
    {
      code: 'RISK_DATA_LOSS',
      severity: 'refuse',
      resource: key,
      message: `${labelOf(subject)}: deleting it deletes ${heldBy(change.kind, messages)}`,
      hint: 'let it run empty first, or keep it in the spec',
      needs: 'allow-data-loss',
      count: messages,
    },
  ];
};
