import { useRef } from 'preact/hooks';
import { count, full, many, span } from '../format.ts';
import { signsFor } from '../marks.ts';
import { east, now } from '../state.ts';
import type { Overview } from '../wire.ts';
import { shown } from './basics.tsx';
import { kindOf } from './deaths-chart.tsx';

const BY = ['detail', 'subject', 'consumer', 'reason', 'queue', 'state', 'hour'];

/** The condition that chooses a group in every verb. */
export const termOf = ({ where }: Overview['result']['groups'][number]): string | undefined => where[0];

export const keyOf = (value: string | null): string => JSON.stringify(value);

/** The signs of the groups of one question, which stay from look to look. */
export function useSigns(question: string, values: readonly (string | null)[]): ReadonlyMap<string, number> {
  const kept = useRef<{ question: string; signs: ReadonlyMap<string, number> }>({ question: '', signs: new Map() });
  const before = kept.current.question === question ? kept.current.signs : new Map<string, number>();
  // While a look is under way there are none: what they were is kept.
  if (values.length > 0) kept.current = { question, signs: signsFor(before, values.map(keyOf)) };
  return kept.current.signs;
}

interface GroupsProps {
  readonly body: Overview | undefined;
  readonly by: string;
  /** The place of the group that is picked; -1 for none. */
  readonly picked: number;
  readonly signs: ReadonlyMap<string, number>;
  readonly onBy: (key: string) => void;
  readonly onPick: (term: string | undefined) => void;
}

/** What they have in common, the largest first, each with its sign. */
export function Groups({ body, by, picked, signs, onBy, onPick }: GroupsProps) {
  const groups = body?.result.groups ?? [];
  return (
    <section class="groups" aria-label="groups">
      <header>
        <label>
          by{' '}
          <select value={by} onChange={({ currentTarget }) => onBy(currentTarget.value)}>
            {[
              ...new Set([
                ...BY,
                ...(body?.suggest ?? []).map(({ key }) => key).filter((key) => /^(header|json):/.test(key)),
                by,
              ]),
            ].map((key) => (
              <option key={key} value={key}>
                {key === 'detail' ? 'cause' : shown(key)}
              </option>
            ))}
          </select>
        </label>
        <span class="muted">{body ? many(groups.length, 'group') : ''}</span>
      </header>
      <ul>
        {groups.slice(0, 200).map((group, index) => {
          const value = group.by[by] ?? null;
          const isPicked = index === picked;
          const sign = signs.get(keyOf(value)) ?? index;
          const kind = kindOf(sign);
          return (
            <li key={value ?? ''}>
              <button
                type="button"
                class="group"
                aria-pressed={isPicked}
                onClick={() => onPick(isPicked ? undefined : termOf(group))}
              >
                <span class="letter">{sign < 7 ? kind.letter : '·'}</span>
                <span class={`swatch ${kind.pattern}`} style={{ '--kind': `var(${kind.colour})` }} />
                <span class="name" title={value === null ? undefined : shown(value)}>
                  {value === null ? <i>not told</i> : shown(value)}
                </span>
                <span
                  class="share"
                  style={{
                    '--share': `${(100 * group.count) / Math.max(1, groups[0]!.count)}%`,
                    '--kind': `var(${kind.colour})`,
                  }}
                />
                <b class="n" title={full(group.count)}>
                  {count(group.count)}
                </b>
                <span class="span muted">
                  {group.first_seen === null
                    ? 'time unknown'
                    : span(Date.parse(group.first_seen), Date.parse(group.last_seen!), now.value, east)}
                </span>
              </button>
            </li>
          );
        })}
        {groups.length > 200 && <li class="muted pad">and {count(groups.length - 200)} smaller groups</li>}
        {body?.result.others !== undefined && (
          <li class="muted pad">{count(body.result.others)} more in groups that are not kept apart</li>
        )}
      </ul>
    </section>
  );
}
