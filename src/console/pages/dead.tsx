import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { escapeOf, TRICKY } from '../../lib/model/visible.ts';
import { ask, download } from '../client.ts';
import { useEntries } from '../entries.ts';
import { count, full, many, span } from '../format.ts';
import { shortcuts } from '../keys.ts';
import { beganAt, signsFor } from '../marks.ts';
import { Act, Button, Clock, Figure, Glyph, Notes, Refusal, shown, Waiting } from '../parts/basics.tsx';
import { ArchiveDialog, EditDialog, PurgeDialog, ReplayDialog, type Wanted } from '../parts/choice.tsx';
import { DeathsChart, kindOf, type Mark } from '../parts/deaths-chart.tsx';
import { EntryPane, StateWord } from '../parts/entry.tsx';
import { FilterBar } from '../parts/filters.tsx';
import { Cell, VirtualRows } from '../parts/virtual-rows.tsx';
import { filterBody, filtersOf, withFilter } from '../route.ts';
import { command, east, go, now, queues, replays, route, say, useAsked } from '../state.ts';
import type { Deed, EntryJson, Overview, ShownLetter } from '../wire.ts';

const BY = ['detail', 'subject', 'consumer', 'reason', 'queue', 'state', 'hour'];

/** The condition that holds for this very value and no other; none for those that have none. */
const termFor = (key: string, value: string | null): string =>
  value === null ? `${key}!=*` : `${key}=${value.replace(/[*\\]/g, '\\$&').replace(TRICKY, escapeOf)}`;

/** The condition that chooses a group in every verb. */
const termOf = ({ where }: Overview['result']['groups'][number]): string | undefined => where[0];

/** What is open on this page beside what the address says. */
type Asking =
  | { readonly what: 'replay' | 'purge'; readonly wanted: Wanted }
  | { readonly what: 'edit'; readonly entry: ShownLetter }
  | { readonly what: 'archive' };

export function DeadPage() {
  const { query } = route.value;
  const by = query.get('by') ?? 'detail';
  const pick = query.get('pick');
  const id = query.get('id') ?? undefined;
  const filters = filtersOf(query);
  const [again, setAgain] = useState(0);
  const [chosenIds, setChosenIds] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState(-1);
  const [asking, setAsking] = useState<Asking | undefined>(undefined);
  const anchor = useRef(-1);

  const narrowed = new URLSearchParams(filters);
  if (pick !== null) narrowed.append('where', pick);
  const entries = useEntries(narrowed.toString(), again);
  // Counting a million takes its time, and the process has one: the newest rows come first.
  const listed = useRef<string>(undefined);
  if (entries.count > 0 || entries.isWhole || entries.error) listed.current = filters.toString();
  const asked = new URLSearchParams(filters);
  asked.set('by', by);
  const path = listed.current === filters.toString() ? (`/api/dlq/overview?${asked}` as const) : undefined;
  const { body, error, since } = useAsked(path, { again });
  const history = useAsked(`/api/history?limit=50`, { again, quiet: true });

  // Ticks are about what is looked at: another choice has none.
  useEffect(() => {
    setChosenIds(new Set());
    setActive(-1);
  }, [narrowed.toString(), again]);

  // The line is that of the groups, or of the rows of the group that is picked; an open entry has its own.
  const line = pick === null ? body?.command : entries.command;
  useEffect(() => {
    if (id === undefined && line !== undefined) command.value = line;
  }, [id === undefined, line?.text]);

  const fresh = useFresh(filters, body);

  const groups = body?.result.groups ?? [];
  const total = body?.result.total;
  const picked = pick === null ? -1 : groups.findIndex((group) => termOf(group) === pick);
  const matching = picked >= 0 ? groups[picked]!.count : pick === null ? total : undefined;
  const marks = useMemo<readonly Mark[]>(() => marksOf(history.body?.result ?? [], body), [history.body, body]);
  const signs = useSigns(
    `${by} ${filters}`,
    groups.map(({ by: named }) => named[by] ?? null),
  );

  /** All that match, as they were when they were looked at. */
  const frozen = (): Record<string, string | string[]> => {
    const exact = filterBody(narrowed);
    return exact.until === undefined && body ? { ...exact, until: body.looked_at } : exact;
  };
  const wantedFor = (verb: 'replay' | 'purge', ids?: readonly string[]): Wanted => {
    const some = ids ?? [...chosenIds];
    const all = !narrowed.has('until');
    return { verb, choice: some.length > 0 ? { ids: some } : { filters: frozen(), all } };
  };
  const begin = (what: 'replay' | 'purge', ids?: readonly string[]) =>
    setAsking({ what, wanted: wantedFor(what, ids) });
  const edit = async (of: string) => {
    const shownEntry = await ask(`/api/dlq/show?id=${encodeURIComponent(of)}`);
    if (shownEntry.ok) setAsking({ what: 'edit', entry: shownEntry.body.result });
    else say(shownEntry.error.message);
  };

  // A button elsewhere asked for it: once the figures are here.
  const todo = query.get('do');
  useEffect(() => {
    if (todo === null || body === undefined) return;
    const next = new URLSearchParams(query);
    next.delete('do');
    go('dead', { query: next, replace: true });
    if (todo === 'replay' || todo === 'purge') begin(todo);
  }, [todo, body]);

  const set = (key: string, value: string | undefined, replace = false) => {
    const next = new URLSearchParams(query);
    if (value === undefined) next.delete(key);
    else next.set(key, value);
    if (key !== 'id') next.delete('id');
    if (key === 'by') next.delete('pick');
    go('dead', { query: next, replace });
  };
  const open = (index: number) => {
    const entry = entries.at(index);
    if (!entry) return;
    setActive(index);
    set('id', entry.id, id !== undefined);
  };
  const toggle = (index: number, isRange: boolean) => {
    const next = new Set(chosenIds);
    const from = isRange && anchor.current >= 0 ? Math.min(anchor.current, index) : index;
    const to = isRange && anchor.current >= 0 ? Math.max(anchor.current, index) : index;
    for (let at = from; at <= to; at += 1) {
      const one = entries.at(at)?.id;
      if (one === undefined) continue;
      if (!isRange && next.has(one)) next.delete(one);
      else next.add(one);
    }
    anchor.current = index;
    setChosenIds(next);
  };
  const step = (to: number) => {
    const index = Math.max(0, Math.min(entries.count - 1, to));
    setActive(index);
    if (id !== undefined) open(index);
  };
  const onPick = (what: 'only' | 'not' | 'by', path: string, value: string) => {
    if (what === 'by') set('by', path);
    else
      go('dead', {
        query: withFilter(
          query,
          'where',
          what === 'only' ? termFor(path, value) : termFor(path, value).replace('=', '!='),
        ),
      });
  };
  const keys = (event: KeyboardEvent) => {
    const { key } = event;
    if (key === 'ArrowDown' || key === 'j') step(active + 1);
    else if (key === 'ArrowUp' || key === 'k') step(active - 1);
    else if (key === 'PageDown') step(active + 10);
    else if (key === 'PageUp') step(active - 10);
    else if (key === 'Home') step(0);
    else if (key === 'Enter' && active >= 0) open(active);
    else if ((key === 'x' || key === 'X' || key === ' ') && active >= 0) toggle(active, event.shiftKey);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  shortcuts.current = (event) => {
    if (keys(event)) return true;
    if (event.key === '[' || event.key === ']') step(active + (event.key === ']' ? 1 : -1));
    else if (event.key === 'a') setChosenIds(new Set());
    else if (event.key === 'Escape' && id !== undefined) set('id', undefined);
    else return false;
    return true;
  };

  const isEmpty = body !== undefined && total === 0;
  return (
    <div class={`dead-page ${id === undefined ? '' : 'with-entry'} ${pick === null ? '' : 'with-pick'}`}>
      <h1 class="unseen">Dead letters</h1>
      <div class="dead-top">
        <FilterBar suggest={body?.suggest ?? []} />
        <p class="looked">
          {total === undefined ? (
            !error && <Waiting since={since} what="the dead letters" />
          ) : (
            <>
              <b>
                <Figure n={total} text={count(total)} />
              </b>{' '}
              match · the newest first · looked at <Clock at={body!.looked_at} />
            </>
          )}
          <Button kind="quiet" onPress={() => setAgain(again + 1)}>
            {fresh > 0 ? `${count(fresh)} new · take in` : 'look again'}
          </Button>
          <Act may="import" kind="quiet" onPress={() => setAsking({ what: 'archive' })}>
            put back an archive…
          </Act>
        </p>
      </div>
      <Notes notes={body?.notes} />
      {error && <Refusal error={error} />}
      {error && !body ? null : isEmpty ? (
        <section class="empty">
          <h2>
            <Glyph name="ok" /> {filters.size === 0 ? 'Nothing is dead' : 'Nothing dead matches these filters'}
          </h2>
          <p>
            {filters.size === 0
              ? 'Every request was answered, waits, or is being worked on. What dies shows here at once.'
              : 'Take one out, or look at a longer time.'}
          </p>
        </section>
      ) : (
        <>
          {body?.timeline.from && (
            <DeathsChart
              timeline={body.timeline}
              marks={marks}
              signOf={(value) => signs.get(keyOf(value))}
              onSpan={(from, to) => {
                const next = withFilter(
                  withFilter(query, 'since', new Date(from).toISOString()),
                  'until',
                  new Date(to).toISOString(),
                );
                go('dead', { query: next });
              }}
            />
          )}
          <div class="panes">
            <Groups
              body={body}
              by={by}
              picked={picked}
              signs={signs}
              onBy={(key) => set('by', key)}
              onPick={(term) => set('pick', term)}
            />
            <section class="list" aria-label="dead letters">
              {entries.error && <Refusal error={entries.error} heading="h3" />}
              {entries.count === 0 && entries.since !== undefined && (
                <Waiting since={entries.since} what="the entries" />
              )}
              {entries.count > 0 && (
                <Rows
                  entries={entries}
                  active={active}
                  chosenIds={chosenIds}
                  id={id}
                  total={matching}
                  onToggle={toggle}
                  onOpen={open}
                  onKey={keys}
                />
              )}
            </section>
            {id !== undefined && (
              <EntryPane
                key={id}
                id={id}
                onClose={() => set('id', undefined)}
                onStep={(by1) => step(active + by1)}
                onPick={onPick}
                onDo={(what) => (what === 'edit' ? void edit(id) : begin(what, [id]))}
              />
            )}
          </div>
          <Actions
            chosen={chosenIds.size}
            matching={matching}
            body={body}
            isPicked={pick !== null}
            onAll={() => setChosenIds(new Set())}
            onDo={begin}
            onExport={() => void save(narrowed, chosenIds)}
          />
        </>
      )}
      {asking?.what === 'replay' && <ReplayDialog wanted={asking.wanted} onClose={() => setAsking(undefined)} />}
      {asking?.what === 'purge' && (
        <PurgeDialog
          wanted={asking.wanted}
          onClose={() => setAsking(undefined)}
          onReplay={() => setAsking({ what: 'replay', wanted: { ...asking.wanted, verb: 'replay' } })}
        />
      )}
      {asking?.what === 'archive' && <ArchiveDialog onClose={() => setAsking(undefined)} />}
      {asking?.what === 'edit' && (
        <EditDialog
          entry={asking.entry}
          onClose={() => setAsking(undefined)}
          onDone={(change) =>
            setAsking({ what: 'replay', wanted: { verb: 'replay', choice: { ids: [asking.entry.id] }, edit: change } })
          }
        />
      )}
    </div>
  );
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
function Groups({ body, by, picked, signs, onBy, onPick }: GroupsProps) {
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

interface ActionsProps {
  /** How many are ticked; 0 for none: then all that match are meant. */
  readonly chosen: number;
  /** How many match, once that is known. */
  readonly matching: number | undefined;
  readonly body: Overview | undefined;
  readonly isPicked: boolean;
  readonly onAll: () => void;
  readonly onDo: (what: 'replay' | 'purge') => void;
  readonly onExport: () => void;
}

/** What can be done to those that are ticked, or to all that match. */
function Actions({ chosen, matching, body, isPicked, onAll, onDo, onExport }: ActionsProps) {
  const n = chosen > 0 ? chosen : matching;
  // What is parked or gone stays where it is. Of some that are picked or chosen nobody knows how many that are.
  const states = body?.states;
  const stays = states && states.parked + states.gone;
  const isAll = chosen === 0 && !isPicked;
  const going = stays === 0 ? n : isAll && states ? states.replayable + states.orphan : undefined;
  const not = n === undefined ? 'they are being counted' : n === 0 ? 'none' : undefined;
  return (
    <div class="actions" role="toolbar" aria-label="what to do with them">
      <span class="what">
        {chosen > 0 ? (
          <>
            <b>{count(chosen)} chosen</b>
            <Button kind="quiet" keys="a" onPress={onAll}>
              all {matching === undefined ? '' : count(matching)} that match instead
            </Button>
          </>
        ) : (
          <b>All {n === undefined ? '' : full(n)} that match</b>
        )}
        {isAll && body && <span class="muted">{statesOf(body)}</span>}
      </span>
      <Act may="replay" kind="main" keys="r" not={not} onPress={() => onDo('replay')}>
        Replay {going === undefined ? '' : count(going)}…
      </Act>
      <Act may="export" onPress={onExport}>
        Export
      </Act>
      <Act may="purge" kind="danger" keys="p" not={not} onPress={() => onDo('purge')}>
        {/* A purge takes what is gone as well: where some are, its dialog has the figure. */}
        Purge{n !== undefined && (chosen > 0 || body?.states.gone === 0) && ` ${count(n)}`}…
      </Act>
    </div>
  );
}

const keyOf = (value: string | null): string => JSON.stringify(value);

/** The signs of the groups of one question, which stay from look to look. */
function useSigns(question: string, values: readonly (string | null)[]): ReadonlyMap<string, number> {
  const kept = useRef<{ question: string; signs: ReadonlyMap<string, number> }>({ question: '', signs: new Map() });
  const before = kept.current.question === question ? kept.current.signs : new Map<string, number>();
  // While a look is under way there are none: what they were is kept.
  if (values.length > 0) kept.current = { question, signs: signsFor(before, values.map(keyOf)) };
  return kept.current.signs;
}

/** How many that match died since the look: counted anew when the queues have more dead than they had, by what match. */
function useFresh(filters: URLSearchParams, body: Overview | undefined): number {
  const names = filters.getAll('queue');
  const dead = (queues.value?.queues ?? [])
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .reduce((sum, queue) => sum + (queue.dead ?? 0), 0);
  const atLook = useRef({ body, dead });
  if (atLook.current.body !== body) atLook.current = { body, dead };
  const since = new URLSearchParams(filters);
  since.set('since', body?.looked_at ?? '');
  const hasMore = body !== undefined && dead > atLook.current.dead;
  const more = useAsked(hasMore ? `/api/dlq/overview?${since}` : undefined, { again: dead, quiet: true });
  return more.body?.result.total ?? 0;
}

async function save(query: URLSearchParams, ids: ReadonlySet<string>): Promise<void> {
  const chosen = ids.size > 0 ? new URLSearchParams([...ids].map((one) => ['id', one])) : query;
  const refused = await download(`/api/dlq/export?${chosen}`);
  if (refused) say(refused.message);
}

const statesOf = ({ states }: Overview): string =>
  (['replayable', 'orphan', 'parked', 'gone'] as const)
    .filter((state) => states[state] > 0)
    .map((state) => `${count(states[state])} ${state}`)
    .join(' · ');

/** What people did, within the time that is drawn. */
function marksOf(deeds: readonly Deed[], body: Overview | undefined): Mark[] {
  if (!body?.timeline.from) return [];
  const from = Date.parse(body.timeline.from);
  const to = Date.parse(body.timeline.to ?? '');
  return deeds
    .filter(({ verb }) => /apply|replay|purge|pause|resume/.test(verb))
    .map((deed) => ({ at: beganAt(deed, replays.peek()), deed }))
    .filter(({ at }) => at >= from && at <= to)
    .sort((a, b) => a.at - b.at);
}

interface RowsProps {
  readonly entries: ReturnType<typeof useEntries>;
  readonly active: number;
  readonly chosenIds: ReadonlySet<string>;
  readonly id: string | undefined;
  readonly total: number | undefined;
  readonly onToggle: (index: number, isRange: boolean) => void;
  readonly onOpen: (index: number) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

function Rows({ entries, active, chosenIds, id, total, onToggle, onOpen, onKey }: RowsProps) {
  const isNarrow = useNarrow();
  return (
    <VirtualRows
      count={Math.max(entries.count, 0)}
      rowHeight={isNarrow ? 56 : 32}
      label={`dead letters, ${total === undefined ? '' : `${full(total)}, `}the newest first`}
      active={active}
      selected={(index) => chosenIds.has(entries.at(index)?.id ?? '')}
      onNeed={entries.need}
      onPress={onOpen}
      onKey={(event) => void onKey(event)}
      rowOf={(index) => (
        <Row
          entry={entries.at(index)}
          index={index}
          isChosen={chosenIds.has(entries.at(index)?.id ?? '')}
          isOpen={entries.at(index)?.id === id}
          onToggle={onToggle}
        />
      )}
    />
  );
}

function useNarrow(): boolean {
  const narrow = useMemo(() => matchMedia('(max-width: 719px)'), []);
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const change = () => setNarrow(narrow.matches);
    narrow.addEventListener('change', change);
    return () => narrow.removeEventListener('change', change);
  }, []);
  return isNarrow;
}

function Row({
  entry,
  index,
  isChosen,
  isOpen,
  onToggle,
}: {
  entry: EntryJson | undefined;
  index: number;
  isChosen: boolean;
  isOpen: boolean;
  onToggle: (index: number, isRange: boolean) => void;
}) {
  if (entry === undefined) return <Cell class="muted">…</Cell>;
  return (
    <>
      <Cell class="tick">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label={`choose ${entry.id}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle(index, event.shiftKey);
          }}
        />
      </Cell>
      <Cell class="time" aria-current={isOpen ? 'true' : undefined}>
        <Clock at={entry.died_at} isShort />
      </Cell>
      <Cell class="why-died">{shown(entry.detail ?? entry.reason)}</Cell>
      <Cell class="subject">{shown(entry.subject ?? '')}</Cell>
      <Cell class="rid">{shown(entry.request_id ?? `${entry.consumer}/${entry.seq}`)}</Cell>
      <Cell class="tries end">{entry.deliveries === null ? '?' : `${entry.deliveries}×`}</Cell>
      <Cell class="state-cell">
        <StateWord state={entry.state} />
      </Cell>
    </>
  );
}
