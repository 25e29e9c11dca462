import type { LoweredLimit } from '../canonical/limits.ts';
import { loweredLimits } from '../canonical/limits.ts';
import { atLeast } from '../facts/versions.ts';
import { printDuration, printSize } from '../model/units.ts';
import { type Analyzer, heldBy, labelOf, type Subject } from './subject.ts';

function limitText({ loss, to }: LoweredLimit): string {
  return loss === 'age' ? printDuration(to) : loss === 'bytes' ? printSize(to) : String(to);
}

// A per-subject limit where there was none takes effect at the next message or restart on older servers.
const whenGone = (subject: Subject, limit: LoweredLimit, version: string): string =>
  limit.loss === 'per-subject' && limit.from === Number.POSITIVE_INFINITY && !atLeast(version, '2.14.0')
    ? 'at the next message of their subject or the next start of the server'
    : subject.change.kind === 'bucket' && limit.loss === 'age'
      ? 'as expired'
      : 'at once';

/** A lower limit that deletes what is stored: how many messages, as measured; unmeasured counts as the worst. */
export const dataLoss: Analyzer = (subject, { losses, version }) => {
  const { change, before, after, observed, key } = subject;
  if (change.action !== 'update' || !before || !after || observed?.kind === 'consumer' || !observed) return [];
  const figures = losses.get(key);
  return loweredLimits(change.kind, before, after).flatMap((limit) => {
    const figure = figures?.find(({ field }) => field === limit.field);
    const { messages, bytes } = observed.figures;
    const worst =
      limit.loss === 'messages'
        ? Math.max(0, messages - limit.to)
        : limit.loss === 'bytes' && bytes <= limit.to
          ? 0
          : messages;
    const count = figure?.count ?? worst;
    if (count === 0) return [];
    const amount = figure ? (figure.exact ? '' : 'about ') : limit.loss === 'messages' ? '' : 'up to ';
    return [
      {
        code: 'RISK_DATA_LOSS',
        severity: 'refuse',
        resource: key,
        field: limit.field,
        message: `${labelOf(subject)}: ${limit.field} ${limitText(limit)} deletes ${amount}${heldBy(change.kind, count)} of ${messages.toLocaleString('en-US')} ${whenGone(subject, limit, version)}`,
        hint: `keep ${limit.field} where it is, or let the ${change.kind === 'bucket' ? 'values' : 'messages'} be processed first`,
        needs: 'allow-data-loss',
        count,
      },
    ];
  });
};
