import { count, full } from '../format.ts';
import { holdingOf } from '../holds.ts';
import type { Queue } from '../wire.ts';
import { Glyph, type GlyphName } from './basics.tsx';

/** What a queue holds of what it can hold, in parts: each with its sign, its word, its pattern and its figure. */
export function Capacity({ queue }: { queue: Queue }) {
  const { parts, note } = holdingOf(queue);
  const used = parts.reduce((sum, { n }) => sum + n, 0);
  const { max_messages: most, free_messages: free, share } = queue.capacity;
  // Where bytes are what fills it, the parts share what is used of it.
  const whole = most ?? (share === null || share === 0 ? used : used / share);
  const told = parts.map(({ word, n }) => `${full(n)} ${word}`);
  if (note !== '') told.push(note);
  if (free !== null) told.push(`${full(free)} free`);
  return (
    <div class="capacity">
      <div class="bar" role="img" aria-label={told.join(', ')}>
        {parts.map(({ name, n }) => (
          <span key={name} class={`part ${name}`} style={{ flexGrow: n / Math.max(whole, used, 1) }} />
        ))}
        {used < whole && <span class="part free" style={{ flexGrow: (whole - used) / whole }} />}
      </div>
      <ul class="legend" aria-hidden="true">
        {parts.map(({ name, word, n }) => (
          <li key={name} class={name}>
            <Glyph name={name as GlyphName} />
            <b title={full(n)}>{count(n)}</b> {word}
          </li>
        ))}
        {note !== '' && <li class="muted">{note}</li>}
        {free !== null && (
          <li class="muted">
            <b title={full(free)}>{count(free)}</b> free
          </li>
        )}
      </ul>
    </div>
  );
}
