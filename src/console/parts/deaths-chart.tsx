import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { axisTimes, count, duration } from '../format.ts';
import { clockOf, east, now } from '../state.ts';
import type { Deed, Timeline } from '../wire.ts';
import { shown } from './basics.tsx';

export interface Mark {
  readonly at: number;
  readonly deed: Deed;
}

/** Sign, colour and pattern of a group, at first in the order of their size: the same in chart and table. */
export const KINDS = [
  { letter: 'A', colour: '--dead', pattern: 'solid' },
  { letter: 'B', colour: '--retrying', pattern: 'stripes' },
  { letter: 'C', colour: '--parked', pattern: 'dots' },
  { letter: 'D', colour: '--waiting', pattern: 'hatch' },
  { letter: 'E', colour: '--flight', pattern: 'stripes' },
  { letter: 'F', colour: '--answered', pattern: 'dots' },
  { letter: 'G', colour: '--muted', pattern: 'solid' },
  { letter: 'H', colour: '--muted', pattern: 'hatch' },
] as const;
export const kindOf = (index: number) => KINDS[Math.min(index, KINDS.length - 1)]!;

/** A small tile of a pattern, repeated. */
function patternOf(colour: string, ground: string, pattern: string): CanvasPattern | string {
  if (pattern === 'solid') return colour;
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const pen = tile.getContext('2d')!;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, 6, 6);
  pen.fillStyle = pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  if (pattern === 'dots') pen.fillRect(1, 1, 4, 4);
  else {
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
      if (pattern !== 'hatch') continue;
      pen.moveTo(shift, 0);
      pen.lineTo(shift + 6, 6);
    }
    pen.stroke();
  }
  return pen.createPattern(tile, 'repeat') ?? colour;
}

function nameOf({ by, other }: Timeline['groups'][number]): string {
  const name = Object.values(by ?? {})[0] ?? null;
  return other ? 'others' : name === null ? 'not told' : shown(name);
}

/** Deaths over time, a colour and pattern for each group, and what people did as lines. A span is chosen by dragging. */
export function DeathsChart({
  timeline,
  marks,
  signOf,
  onSpan,
}: {
  timeline: Timeline;
  marks: readonly Mark[];
  /** The place of a group's sign, as the table has it. */
  signOf: (value: string | null) => number | undefined;
  onSpan: (from: number, to: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | undefined>(undefined);
  const { groups, step_seconds: step } = timeline;
  const from = Date.parse(timeline.from ?? '') / 1000;
  const length = Math.max(0, ...groups.map(({ counts }) => counts.length));
  const total = groups.reduce((sum, group) => sum + group.count, 0);

  useEffect(() => {
    const element = box.current!;
    const isDark = matchMedia('(prefers-color-scheme: dark)');
    let plot: uPlot | undefined;
    const make = () => {
      plot?.destroy();
      plot = drawn(element, { timeline, marks, signOf, length, from, onAt: setAt, onSpan });
    };
    make();
    const sized = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: element.clientHeight }));
    sized.observe(element);
    isDark.addEventListener('change', make);
    return () => {
      sized.disconnect();
      isDark.removeEventListener('change', make);
      plot?.destroy();
    };
  }, [timeline, marks]);

  const move = (to: number) => setAt(Math.max(0, Math.min(length - 1, to)));
  const when = at === undefined ? undefined : clockOf((from + at * step) * 1000);
  const told =
    when === undefined
      ? `${count(total)} deaths, ${duration(step)} a column`
      : `${when}: ${
          groups
            .map((group) => [nameOf(group), group.counts[at!] ?? 0] as const)
            .filter(([, n]) => n > 0)
            .map(([name, n]) => `${n} ${name}`)
            .join(', ') || 'none'
        }`;
  return (
    <figure class="chart">
      <figcaption>
        <b>when they died</b>{' '}
        <span class="told" role="status">
          {told}
        </span>
        {timeline.undated > 0 && <span class="muted">{count(timeline.undated)} without a time</span>}
      </figcaption>
      <div
        class="plot"
        ref={box}
        tabIndex={0}
        role="img"
        aria-label={`deaths from ${clockOf(from * 1000)} to ${clockOf(Date.parse(timeline.to ?? ''))}: ${groups.map((group) => `${group.count} ${nameOf(group)}`).join(', ')}; the arrow keys move through it, Enter chooses a column`}
        onKeyDown={(event) => {
          const steps = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
          if (event.key === 'Enter' && at !== undefined)
            onSpan((from + at * step) * 1000, (from + (at + 1) * step) * 1000);
          if (steps === 0) return;
          event.preventDefault();
          move((at ?? (steps > 0 ? -1 : length)) + steps);
        }}
        onBlur={() => setAt(undefined)}
      />
      {/* A table is as wide as what is in it, whatever it is told. */}
      <div class="unseen">
        <table>
          <caption>deaths of each group</caption>
          <tbody>
            {groups.map((group) => (
              <tr key={nameOf(group)}>
                <th scope="row">{nameOf(group)}</th>
                <td>{group.count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {marks.length > 0 && (
        <ul class="marks">
          {marks.map(({ deed }) => (
            <li key={deed.id}>
              <b>{shown(deed.verb)}</b> {shown(deed.who)} <span class="muted">{clockOf(Date.parse(deed.at))}</span>{' '}
              {shown(deed.summary)}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

/** Between two labels of the time, in seconds: from one second to four weeks. */
const TICKS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600,
  604_800, 1_209_600, 2_419_200,
];

interface Drawing {
  readonly timeline: Timeline;
  readonly marks: readonly Mark[];
  readonly signOf: (value: string | null) => number | undefined;
  readonly length: number;
  readonly from: number;
  readonly onAt: (at: number | undefined) => void;
  readonly onSpan: (from: number, to: number) => void;
}

function drawn(element: HTMLElement, { timeline, marks, signOf, length, from, onAt, onSpan }: Drawing): uPlot {
  const { groups, step_seconds: step } = timeline;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const xs = Array.from({ length }, (_, index) => from + (index + 0.5) * step);
  // Stacked: each column reaches as high as its group and all larger ones; drawn from the highest down.
  const stacked = groups.map((_, last) =>
    xs.map((_, index) => groups.slice(0, last + 1).reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0)),
  );
  const bars = uPlot.paths.bars!({ size: [0.92, Number.POSITIVE_INFINITY], align: 0 });
  const order = groups.map((_, index) => index).reverse();
  const axis = {
    stroke: colour('--muted'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: element.clientHeight,
      // The last label is not cut.
      padding: [6, 44, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: true, range: () => [from, from + Math.max(1, length) * step] },
        y: { range: (_, __, most) => [0, Math.max(1, most)] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          // Clear of the other axis' 0, which stands in the same corner.
          gap: 8,
          // Room for a day and a clock with seconds; a label is no nearer to the next than a second.
          space: 96,
          incrs: TICKS,
          values: (_, splits) =>
            axisTimes(
              splits.map((at) => at * 1000),
              now.value,
              east,
            ),
        },
        {
          ...axis,
          size: 48,
          gap: 4,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000],
          splits: undefined,
        },
      ],
      series: [
        {},
        ...order.map((index) => {
          const { by, other } = groups[index]!;
          const sign = other ? KINDS.length - 1 : (signOf(Object.values(by ?? {})[0] ?? null) ?? index);
          const { colour: name, pattern } = kindOf(sign);
          const fill = patternOf(colour(name), colour('--ground'), pattern);
          return {
            paths: bars,
            fill: () => fill as CanvasRenderingContext2D['fillStyle'],
            stroke: colour(name),
            width: 0,
            points: { show: false },
          };
        }),
      ],
      hooks: {
        setCursor: [(plot) => onAt(plot.cursor.idx ?? undefined)],
        setSelect: [
          (plot) => {
            if (plot.select.width < 4) return;
            onSpan(
              plot.posToVal(plot.select.left, 'x') * 1000,
              plot.posToVal(plot.select.left + plot.select.width, 'x') * 1000,
            );
          },
        ],
        draw: [
          ({ ctx, bbox, valToPos }) => {
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = colour('--link');
            ctx.lineWidth = devicePixelRatio;
            ctx.font = `${11 * devicePixelRatio}px ${style.fontFamily}`;
            ctx.setLineDash([4, 3]);
            ctx.textAlign = 'left';
            // A label that would lie on the one before is left out; the list below has all.
            let free = Number.NEGATIVE_INFINITY;
            for (const { at, deed } of marks) {
              const x = Math.round(valToPos(at / 1000, 'x', true));
              if (x < bbox.left || x > bbox.left + bbox.width) continue;
              ctx.beginPath();
              ctx.moveTo(x, bbox.top);
              ctx.lineTo(x, bbox.top + bbox.height);
              ctx.stroke();
              const label = shown(deed.verb).slice(0, 12);
              const begin = x + 3 * devicePixelRatio;
              if (begin < free) continue;
              ctx.fillText(label, begin, bbox.top + 9 * devicePixelRatio);
              free = begin + ctx.measureText(label).width + 3 * devicePixelRatio;
            }
            ctx.restore();
          },
        ],
      },
    },
    [xs, ...order.map((index) => stacked[index]!)],
    element,
  );
}
