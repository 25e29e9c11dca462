import { count, full } from '../format.ts';
import type { Queue } from '../wire.ts';
import { Glyph, type GlyphName } from './basics.tsx';

interface Part {
  readonly name: 'waiting' | 'flight' | 'retrying' | 'dead';
  readonly word: string;
  readonly n: number;
}

/** In this order, always. What is retrying is in flight for the server; here it is told apart. */
function partsOf(queue: Queue): Part[] {
  const retrying = queue.retrying ?? 0;
  return [
    { name: 'waiting', word: 'waiting', n: queue.ready ?? 0 },
    { name: 'flight', word: 'in flight', n: Math.max(0, (queue.in_flight ?? 0) - retrying) },
    { name: 'retrying', word: 'retrying', n: retrying },
    { name: 'dead', word: 'dead', n: queue.dead ?? 0 },
  ];
}

/** What a queue holds of what it can hold, in parts: each with its sign, its word, its pattern and its figure. */
export function Capacity({ queue }: { queue: Queue }) {
  const parts = partsOf(queue).filter(({ n }) => n > 0);
  const used = parts.reduce((sum, { n }) => sum + n, 0);
  const { max_messages: most, free_messages: free, share } = queue.capacity;
  // Where bytes are what fills it, the parts share what is used of it.
  const whole = most ?? (share === null || share === 0 ? used : used / share);
  const unknown = queue.ready === null || queue.in_flight === null;
  const told = parts.map(({ word, n }) => `${full(n)} ${word}`);
  if (free !== null) told.push(`${full(free)} free`);
  return (
    <div class="capacity">
      <div class="bar" role="img" aria-label={unknown ? 'what it holds is unknown' : told.join(', ') || 'empty'}>
        {parts.map(({ name, n }) => (
          <span key={name} class={`part ${name}`} style={{ flexGrow: n / Math.max(whole, used, 1) }} />
        ))}
        {used < whole && <span class="part free" style={{ flexGrow: (whole - used) / whole }} />}
      </div>
      <ul class="legend" aria-hidden="true">
        {unknown && <li class="muted">unknown: the server did not tell</li>}
        {parts.map(({ name, word, n }) => (
          <li key={name} class={name}>
            <Glyph name={name as GlyphName} />
            <b title={full(n)}>{count(n)}</b> {word}
          </li>
        ))}
        {!unknown && parts.length === 0 && <li class="muted">empty</li>}
        {free !== null && (
          <li class="muted">
            <b title={full(free)}>{count(free)}</b> free
          </li>
        )}
      </ul>
    </div>
  );
}
