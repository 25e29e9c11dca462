import { useState } from 'preact/hooks';
import { duration, rate } from '../format.ts';
import { clockOf } from '../state.ts';
import type { Queue } from '../wire.ts';

const LINES = [
  { key: 'in', word: 'in' },
  { key: 'out', word: 'out' },
  { key: 'dead', word: 'dead' },
] as const;
const WIDTH = 120;
const HEIGHT = 20;

/** The line of a row of figures; a gap where nobody looked. */
function pathOf(values: readonly (number | null)[], most: number): string {
  let path = '';
  let isDown = false;
  values.forEach((value, index) => {
    if (value === null) {
      isDown = false;
      return;
    }
    const x = values.length < 2 ? WIDTH : (index / (values.length - 1)) * WIDTH;
    const y = HEIGHT - 1 - (value / most) * (HEIGHT - 2);
    path += `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
  });
  return path;
}

/** What came, went and died of late: drawn, and as figures; a pointer or the arrow keys give those of before. */
export function Sparks({ queue }: { queue: Queue }) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const { rates } = queue;
  const length = rates.at.length;
  // What comes and goes have one scale, so that they can be compared.
  const flow = Math.max(0.1, ...rates.in.map((n) => n ?? 0), ...rates.out.map((n) => n ?? 0));
  const most = { in: flow, out: flow, dead: Math.max(0.1, ...rates.dead.map((n) => n ?? 0)) };
  const figureOf = (key: 'in' | 'out' | 'dead') => (at === undefined ? rates.now[key] : (rates[key][at] ?? null));
  const move = (to: number) => setAt(Math.max(0, Math.min(length - 1, to)));
  const when = at === undefined ? 'now' : clockOf(rates.at[at] ?? 0);
  const told = LINES.map(
    ({ key, word }) => `${word} ${figureOf(key) === null ? 'unknown' : `${rate(figureOf(key)!)} a second`}`,
  );
  return (
    <div
      class="sparks"
      tabIndex={0}
      role="group"
      aria-label={`${queue.name}, messages a second, ${when}: ${told.join(', ')}`}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
        if (step === 0 || length === 0) return;
        event.preventDefault();
        move((at ?? length) + step);
      }}
      onBlur={() => setAt(undefined)}
      onPointerLeave={() => setAt(undefined)}
      onPointerMove={({ currentTarget, clientX }) => {
        const drawn = currentTarget.querySelector('svg')?.getBoundingClientRect();
        if (drawn && length > 0) move(Math.round(((clientX - drawn.left) / drawn.width) * (length - 1)));
      }}
    >
      {LINES.map(({ key, word }) => {
        const value = figureOf(key);
        return (
          <div key={key} class={`spark ${key}`}>
            <span class="word">{word}</span>
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
              <path class="ground" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
              <path d={pathOf(rates[key], most[key])} />
              {at !== undefined && length > 1 && (
                <path class="cursor" d={`M${(at / (length - 1)) * WIDTH} 0V${HEIGHT}`} />
              )}
            </svg>
            <span class="n">{value === null ? <span class="muted">?</span> : rate(value)}</span>
            <span class="unit">/s</span>
          </div>
        );
      })}
      <span class="when muted">
        {at === undefined ? `last ${duration(Math.max(rates.step_seconds, length * rates.step_seconds))}` : when}
      </span>
    </div>
  );
}
