import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { lockedWhy, session } from './client.ts';
import { count, duration, offset } from './format.ts';
import { helpOpen, KEYS, keysOn, shortcuts, switchKeys } from './keys.ts';
import { DeadPage } from './pages/dead.tsx';
import { HistoryPage } from './pages/history.tsx';
import { PlanPage } from './pages/plan.tsx';
import { QueuesPage } from './pages/queues.tsx';
import { ReplayPage } from './pages/replay.tsx';
import { RequestPage } from './pages/request.tsx';
import { Button, Dialog, Glyph, LineToType, Refusal, shown } from './parts/basics.tsx';
import { PAGES, type PageName } from './route.ts';
import {
  about,
  clockOf,
  command,
  connection,
  east,
  freshAt,
  now,
  paused,
  queues,
  replays,
  route,
  said,
  server,
} from './state.ts';
import type { Queues } from './wire.ts';

const TITLES: Readonly<Record<PageName, string>> = {
  queues: 'Queues',
  dead: 'Dead letters',
  replay: 'Replay',
  request: 'Request',
  plan: 'Plan',
  history: 'History',
};
const VIEWS = {
  queues: QueuesPage,
  dead: DeadPage,
  replay: ReplayPage,
  request: RequestPage,
  plan: PlanPage,
  history: HistoryPage,
} as const;

/** How many are dead of all queues, in words; `undefined` where none is. Of a queue that tells none, nobody knows. */
function deadOf({ queues: all }: Queues): string | undefined {
  const dead = all.reduce((sum, queue) => sum + (queue.dead ?? 0), 0);
  const isKnown = all.every((queue) => queue.dead !== null);
  if (isKnown) return dead > 0 ? count(dead) : undefined;
  return dead > 0 ? `${count(dead)}+` : '?';
}

/** A figure beside a page's name, where there is one to look at. */
function badgeOf(page: PageName): string | undefined {
  const all = queues.value;
  switch (page) {
    case 'queues':
      return all && String(all.queues.length);
    case 'dead':
      return all && (deadOf(all) ?? '0');
    case 'replay': {
      const running = replays.value.filter(({ state }) => state === 'running').length;
      return running === 0 ? undefined : `${running} running`;
    }
    case 'plan': {
      const drift = all?.systems.reduce((sum, { drift: n }) => sum + (n ?? 0), 0) ?? 0;
      return drift === 0 ? undefined : `± ${drift}`;
    }
    default:
      return undefined;
  }
}

function Links({ onGo }: { onGo?: () => void }) {
  return (
    <ul>
      {PAGES.map((page) => {
        const badge = badgeOf(page);
        return (
          <li key={page}>
            <a href={`#/${page}`} aria-current={route.value.page === page ? 'page' : undefined} onClick={onGo}>
              <span class="name" data-name={TITLES[page]}>
                {TITLES[page]}
              </span>
              {badge !== undefined && <span class="badge">{badge}</span>}
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** Whether the figures move, and if not, since when and why. */
function Live() {
  const state = server.value;
  const line = connection.value;
  const zone = east(now.value);
  const isLive = line === 'live' && state?.state === 'connected';
  const word = paused.value
    ? 'paused'
    : line === 'away'
      ? 'console away'
      : line === 'connecting'
        ? 'connecting'
        : state?.state === 'away'
          ? state.error?.code === 'CONN_NO_JETSTREAM'
            ? 'no JetStream'
            : 'server away'
          : state?.state === 'denied'
            ? 'denied'
            : state?.state === 'starting'
              ? 'connecting'
              : 'live';
  return (
    <span class={`live ${isLive && !paused.value ? 'on' : 'off'}`}>
      <Glyph name={isLive && !paused.value ? 'live' : paused.value ? 'paused' : 'warn'} />
      {word}{' '}
      <span class="n" title={`times here are of ${offset(zone)}`}>
        {freshAt.value === 0 ? '' : clockOf(freshAt.value)}
        {zone === 0 ? '' : ` ${offset(zone)}`}
      </span>
    </span>
  );
}

/** What is lost, in words, above the last figures, which are dated and grey. */
function Trouble() {
  const state = server.value;
  if (connection.value === 'away') {
    return (
      <div class="trouble" role="alert">
        <Glyph name="warn" />
        <span>
          The console itself does not answer: its process was stopped, or this machine cannot reach it. The figures are
          of {clockOf(freshAt.value)}. It is tried again every few seconds; start osapi-ops console again where it ran.
        </span>
      </div>
    );
  }
  if (state === undefined || state.state === 'connected' || state.state === 'starting') return null;
  // Without any figures that page tells it, in all its parts.
  if (route.value.page === 'queues' && queues.value === undefined && state.error) return null;
  const isDenied = state.state === 'denied';
  return (
    <div class="trouble" role="alert">
      <Glyph name="warn" />
      <span>
        {isDenied && 'the queues cannot be looked at: '}
        {state.error ? shown(state.error.message) : 'the NATS server does not answer'}
        {freshAt.value > 0 && queues.value && `; the figures are of ${clockOf(Date.parse(queues.value.at))}`}
        {state.state === 'away' &&
          `; it is tried again, for ${duration(Math.max(0, (now.value - Date.parse(state.since)) / 1000))} now`}
        {/* Denied, each page says itself what it needs. */}
        {state.error?.hint !== undefined && !isDenied && `. Try: ${shown(state.error.hint)}`}
      </span>
    </div>
  );
}

function Help() {
  return (
    <Dialog title="Keys" onClose={() => (helpOpen.value = false)}>
      <table class="plain keys">
        <tbody>
          {KEYS.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="check">
        <input
          type="checkbox"
          checked={keysOn.value}
          onChange={({ currentTarget }) => switchKeys(currentTarget.checked)}
        />
        <span>single keys act on this page</span>
      </label>
      <p class="muted">
        osapi-ops {about.value?.tool}, {location.host}
      </p>
    </Dialog>
  );
}

function Locked() {
  return (
    <main class="locked">
      <h1>Open the address that the terminal shows</h1>
      <p>
        This page needs the token of the console that serves it. Where <code>osapi-ops console</code> runs, it printed
        an address that ends in <code>#token=…</code>; a used one is replaced there by a new one.
      </p>
      {lockedWhy.value && <Refusal error={lockedWhy.value} />}
    </main>
  );
}

export function App() {
  const [isMenu, setMenu] = useState(false);
  const { page } = route.value;
  const View = VIEWS[page];
  const known = about.value;
  const dead = queues.value && deadOf(queues.value);
  useEffect(() => {
    document.title = `${dead === undefined ? '' : `(${dead} dead) `}${TITLES[page]} · osapi-ops`;
  }, [page, dead]);
  // What one sees is said by the view itself; what it did before is not what this one does.
  // Before the view's own effects: what it asks tells its line.
  useLayoutEffect(() => {
    if (page === 'queues') shortcuts.current = () => false;
    command.value = page === 'queues' ? about.value?.command : undefined;
  }, [page, about.value?.command.text]);
  if (session.value === 'locked') return <Locked />;
  if (session.value === 'opening') return <main class="locked" aria-busy="true" />;
  const target = known?.target;
  return (
    <div class="app">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        to the contents
      </button>
      <header class="top">
        <div class="top-line">
          <span class="menu">
            <Button kind="quiet" label={`menu, ${TITLES[page]}`} onPress={() => setMenu(true)}>
              <Glyph name="menu" /> {TITLES[page]}
            </Button>
          </span>
          <span class="brand">
            <b>osapi-ops</b> console
          </span>
          {target && (
            <span class="target" title={target.chosen_by}>
              {shown(target.url.replace(/^nats:\/\//, ''))}
              {target.account !== undefined && ` · ${shown(target.account)}`}
              {target.server?.version !== undefined && <span class="muted"> · {shown(target.server.version)}</span>}
            </span>
          )}
          <span class="grow" />
          <Live />
          <Button
            kind="quiet"
            label={paused.value ? 'go on with updates' : 'pause updates'}
            pressed={paused.value}
            keys="."
            onPress={() => (paused.value = !paused.value)}
          >
            {paused.value ? 'go on' : 'pause'}
          </Button>
          <span class="may">
            {known?.read_only
              ? 'read only'
              : server.value?.state === 'denied' || server.value?.error?.code === 'CONN_NO_JETSTREAM'
                ? 'may not look here'
                : known?.may.replay?.allowed
                  ? 'may write'
                  : 'may look'}
          </span>
          <Button kind="quiet" label="keys and help" keys="?" onPress={() => (helpOpen.value = true)}>
            <Glyph name="help" />
          </Button>
        </div>
        <nav aria-label="pages">
          <Links />
        </nav>
      </header>
      <main id="main" tabIndex={-1} class={`view on-${page}`}>
        <Trouble />
        <View />
      </main>
      <footer class="bottom">
        {command.value && <LineToType text={command.value.text} />}
        <span class="muted hint" aria-hidden="true">
          {command.value && 'y copies it · '}? keys
        </span>
      </footer>
      <div class={said.value === '' ? 'said' : 'said on'} role="status">
        {shown(said.value)}
      </div>
      {helpOpen.value && <Help />}
      {isMenu && (
        <Dialog title="osapi-ops console" onClose={() => setMenu(false)}>
          <nav class="in-menu" aria-label="pages">
            <Links onGo={() => setMenu(false)} />
          </nav>
          {target && <p class="muted">{shown(target.url)}</p>}
        </Dialog>
      )}
    </div>
  );
}
