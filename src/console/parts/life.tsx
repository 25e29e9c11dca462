import type { LifeEvent } from '../../lib/model/dead-letter.ts';
import type { Moment } from '../../lib/model/request.ts';
import { duration } from '../format.ts';
import { Clock, Glyph, type GlyphName, shown } from './basics.tsx';

type Event = Moment | LifeEvent;

const SIGNS: Readonly<Record<Event['event'], GlyphName>> = {
  made: 'waiting',
  published: 'waiting',
  replayed: 'flight',
  delivered: 'flight',
  failed: 'retrying',
  next: 'waiting',
  died: 'dead',
  answered: 'ok',
  removed: 'gone',
};
const MOST = 12;

/** What happened to a message, step by step, with the time between two of them. */
export function Life({ moments }: { moments: readonly Event[] }) {
  const left = moments.length > MOST ? [...moments.slice(0, 5), ...moments.slice(-6)] : moments;
  return (
    <ol class="life" aria-label="its life">
      {left.map(({ at, event, detail, computed }, index) => {
        const before = left[index - 1]?.at;
        const waited = at && before ? (Date.parse(at) - Date.parse(before)) / 1000 : 0;
        return (
          <li key={index} class={event}>
            {waited >= 0.001 && <span class="wait muted">{duration(waited)}</span>}
            <span class="what">
              <Glyph name={SIGNS[event]} />
              <b>{event}</b> <Clock at={at} />
            </span>
            <span class="detail">
              {shown(detail)}
              {computed && <span class="muted">, at the earliest</span>}
            </span>
            {moments.length > MOST && index === 4 && <span class="muted">{moments.length - 11} more between</span>}
          </li>
        );
      })}
    </ol>
  );
}
