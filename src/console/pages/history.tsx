import { useState } from 'preact/hooks';
import { many } from '../format.ts';
import { shortcuts } from '../keys.ts';
import { Button, Clock, Refusal, shown, Waiting } from '../parts/basics.tsx';
import { go, replays, route, useAsked } from '../state.ts';
import type { Deed } from '../wire.ts';

/** Where one sees what a deed was about. */
function placeOf(deed: Deed): string {
  const verb = deed.verb.replace(/^dlq /, '');
  if (verb === 'replay') {
    const near = replays.value.find(
      ({ who, started_at: began }) =>
        who === deed.who &&
        Math.abs(Date.parse(began) - Date.parse(deed.at)) < 600_000 &&
        Date.parse(began) <= Date.parse(deed.at) + 1000,
    );
    return near === undefined ? '#/replay' : `#/replay/${encodeURIComponent(near.id)}`;
  }
  if (['purge', 'import', 'rebuild'].includes(verb)) return '#/dead';
  if (['pause', 'resume', 'drain'].includes(verb)) return '#/queues';
  return verb === 'cancel' ? '#/request' : '#/plan';
}

export function HistoryPage() {
  const { query } = route.value;
  const [again, setAgain] = useState(0);
  const verb = query.get('verb') ?? '';
  const since = query.get('since') ?? '';
  const asked = new URLSearchParams({ limit: '500', ...(since !== '' && { since }) });
  const { body, error, since: waiting } = useAsked(`/api/history?${asked}`, { again });
  shortcuts.current = () => false;
  const deeds = body?.result ?? [];
  const verbs = [...new Set(deeds.map((deed) => deed.verb))].sort();
  const left = deeds.filter((deed) => verb === '' || deed.verb === verb);
  const set = (key: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete(key);
    else next.set(key, value);
    go('history', { query: next, replace: true });
  };
  return (
    <div class="page">
      <header class="page-head">
        <h1>History</h1>
        <label class="field">
          <span>what</span>
          <select value={verb} onChange={({ currentTarget }) => set('verb', currentTarget.value)}>
            <option value="">all</option>
            {[...new Set([...verbs, ...(verb === '' ? [] : [verb])])].map((one) => (
              <option key={one}>{shown(one)}</option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>since</span>
          <input
            id="filter"
            size={10}
            value={since}
            placeholder="7d, yesterday"
            onChange={({ currentTarget }) => set('since', currentTarget.value.trim())}
          />
        </label>
        <Button kind="quiet" onPress={() => setAgain(again + 1)}>
          look again
        </Button>
      </header>
      {error && <Refusal error={error} />}
      {!body && !error && <Waiting since={waiting} what="the history" />}
      {body && left.length === 0 && (
        <section class="empty">
          <h2>Nothing is written down{verb !== '' || since !== '' ? ' of that' : ' yet'}</h2>
          <p>Applies, replays, purges, pauses and the like are kept on the server, with who did them and from where.</p>
        </section>
      )}
      {left.length > 0 && (
        <div class="wide-table">
          <p class="unseen" role="status">
            {many(left.length, 'deed')}
          </p>
          <table class="plain history cards">
            <thead>
              <tr>
                <th>when</th>
                <th>who</th>
                <th>from</th>
                <th>system</th>
                <th>what</th>
                <th>in figures</th>
              </tr>
            </thead>
            <tbody>
              {left.map((deed) => (
                <tr key={deed.id}>
                  <td data-label="when">
                    <Clock at={deed.at} />
                  </td>
                  <td data-label="who">{shown(deed.who)}</td>
                  <td data-label="from">{shown(deed.ci ?? deed.host)}</td>
                  <td data-label="system">{shown(deed.system)}</td>
                  <td data-label="what">
                    <a href={placeOf(deed)}>{shown(deed.verb)}</a>
                  </td>
                  <td data-label="in figures">{shown(deed.summary)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
