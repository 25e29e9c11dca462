import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { escapeOf, TRICKY } from '../../lib/model/visible.ts';
import { ask, download } from '../client.ts';
import { useEntries } from '../entries.ts';
import { count } from '../format.ts';
import { shortcuts } from '../keys.ts';
import { beganAt } from '../marks.ts';
import { Act, Button, Clock, Figure, Glyph, Notes, Refusal, Waiting } from '../parts/basics.tsx';
import { ArchiveDialog, EditDialog, PurgeDialog, ReplayDialog, type Wanted } from '../parts/choice.tsx';
import { DeathsChart, type Mark } from '../parts/deaths-chart.tsx';
import { EntryPane } from '../parts/entry.tsx';
import { FilterBar } from '../parts/filters.tsx';
import { Groups, keyOf, termOf, useSigns } from '../parts/groups.tsx';
import { Actions } from '../parts/letter-actions.tsx';
import { LetterRows } from '../parts/letter-rows.tsx';
import { filterBody, filtersOf, withFilter } from '../route.ts';
import { useSelection } from '../selection.ts';
import { command, go, queues, replays, route, say, useAsked } from '../state.ts';
import type { Deed, Overview, ShownLetter } from '../wire.ts';

/** The condition that holds for this very value and no other; none for those that have none. */
const termFor = (key: string, value: string | null): string =>
  value === null ? `${key}!=*` : `${key}=${value.replace(/[*\\]/g, '\\$&').replace(TRICKY, escapeOf)}`;

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
  const [asking, setAsking] = useState<Asking | undefined>(undefined);

  const narrowed = new URLSearchParams(filters);
  if (pick !== null) narrowed.append('where', pick);
  const entries = useEntries(narrowed.toString(), again);
  // Counting a million takes its time, and the process has one: the newest rows come first.
  const listed = useRef<string>(undefined);
  if (entries.count > 0 || entries.isWhole || entries.error) listed.current = filters.toString();
  const asked = new URLSearchParams(filters);
  asked.set('by', by);
  const path = listed.current === filters.toString() ? (`/api/dlq/overview?${asked}` as const) : undefined;
  const { body, error, since } = useAsked(path, { again, quiet: true });
  const history = useAsked(`/api/history?limit=50`, { again, quiet: true });

  const set = (key: string, value: string | undefined, replace = false) => {
    const next = new URLSearchParams(query);
    if (value === undefined) next.delete(key);
    else next.set(key, value);
    if (key !== 'id') next.delete('id');
    if (key === 'by') next.delete('pick');
    go('dead', { query: next, replace });
  };
  const selection = useSelection(entries, `${again} ${narrowed}`, {
    isOpen: id !== undefined,
    onOpen: (one) => set('id', one, id !== undefined),
  });

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
    const some = ids ?? [...selection.ids];
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
  shortcuts.current = (event) => {
    if (selection.onKey(event)) return true;
    if (event.key === '[' || event.key === ']') selection.step(event.key === ']' ? 1 : -1);
    else if (event.key === 'a') selection.clear();
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
            <span>
              <b>
                <Figure n={total} text={count(total)} />
              </b>{' '}
              match · the newest first · looked at <Clock at={body!.looked_at} />
            </span>
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
              {entries.count > 0 && <LetterRows entries={entries} selection={selection} id={id} total={matching} />}
            </section>
            {id !== undefined && (
              <EntryPane
                key={id}
                id={id}
                onClose={() => set('id', undefined)}
                onStep={selection.step}
                onPick={onPick}
                onDo={(what) => (what === 'edit' ? void edit(id) : begin(what, [id]))}
              />
            )}
          </div>
          <Actions
            chosen={selection.ids.size}
            matching={matching}
            body={body}
            isPicked={pick !== null}
            onAll={selection.clear}
            onDo={begin}
            onExport={() => void save(narrowed, selection.ids)}
          />
        </>
      )}
      {asking && <AskedDialog asking={asking} onAsk={setAsking} />}
    </div>
  );
}

/** The dialog that is open; `onAsk` opens another, or none. */
function AskedDialog({ asking, onAsk }: { asking: Asking; onAsk: (asking: Asking | undefined) => void }) {
  const onClose = () => onAsk(undefined);
  switch (asking.what) {
    case 'replay':
      return <ReplayDialog wanted={asking.wanted} onClose={onClose} />;
    case 'purge':
      return (
        <PurgeDialog
          wanted={asking.wanted}
          onClose={onClose}
          onReplay={() => onAsk({ what: 'replay', wanted: { ...asking.wanted, verb: 'replay' } })}
        />
      );
    case 'archive':
      return <ArchiveDialog onClose={onClose} />;
    case 'edit': {
      const choice = { ids: [asking.entry.id] };
      return (
        <EditDialog
          entry={asking.entry}
          onClose={onClose}
          onDone={(edit) => onAsk({ what: 'replay', wanted: { verb: 'replay', choice, edit } })}
        />
      );
    }
  }
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
