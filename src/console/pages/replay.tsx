import { useEffect, useState } from 'preact/hooks';
import { shellLine } from '../../lib/model/shell.ts';
import { ask } from '../client.ts';
import { count, duration, leftDead } from '../format.ts';
import { shortcuts } from '../keys.ts';
import { Act, Clock, Glyph, Refusal, shown, Waiting } from '../parts/basics.tsx';
import { ReplayView, RunView, StopDialog } from '../parts/run-view.tsx';
import { command, go, remember, replays, route, runIt, runs, say, useAsked } from '../state.ts';
import type { WireError } from '../wire.ts';

const stop = async (id: string): Promise<void> => {
  // It may have ended while somebody thought about it.
  const now = await ask(`/api/dlq/replays/${encodeURIComponent(id)}`);
  if (now.ok && now.body.result.state !== 'running') return say(`it is over already: ${now.body.result.state}`);
  const answer = await runIt({ verb: 'stop', replay: id });
  say(answer.ok ? 'it was told to stop' : answer.error.message);
};

/** One, by its id among the replays of the server or among what this console did. */
function One({ id }: { id: string }) {
  const [isStopping, setStopping] = useState(false);
  const [error, setError] = useState<WireError | undefined>(undefined);
  const all = replays.value;
  const own = runs.value.get(id) ?? [...runs.value.values()].find(({ replay }) => replay === id);
  const ownReplay = own?.replay;
  const told = all.find((one) => one.id === (ownReplay ?? id));
  const isKnown = own !== undefined || told !== undefined;
  const asked = useAsked(isKnown ? undefined : `/api/dlq/replays/${encodeURIComponent(id)}`);
  useEffect(() => {
    if (isKnown) return;
    void ask(`/api/runs/${encodeURIComponent(id)}`).then((answer) => {
      if (answer.ok) remember(answer.body);
      else setError(answer.error);
    });
  }, [id, isKnown]);
  // The address that everybody can open is the replay's own.
  useEffect(() => {
    if (ownReplay !== undefined && ownReplay !== id) go('replay', { id: ownReplay, replace: true });
  }, [ownReplay]);
  useEffect(() => {
    const id1 = ownReplay ?? id;
    const argv = ['osapi-ops', 'dlq', 'replays', 'show', id1];
    command.value = own?.command ?? { argv, text: shellLine(argv) };
  }, [own?.command?.text, id]);
  const replay = told ?? asked.body?.result;
  const isOn = replay?.state === 'running' || own?.state === 'running';
  shortcuts.current = () => false;
  return (
    <>
      <p>
        <a href="#/replay">all replays</a>
      </p>
      {own ? (
        <RunView run={own} replay={replay} />
      ) : replay ? (
        <ReplayView replay={replay} onStop={() => setStopping(true)} />
      ) : asked.error && error ? (
        <Refusal error={asked.error} />
      ) : (
        <Waiting since={asked.since} what="it" />
      )}
      {isStopping && isOn && (
        <StopDialog
          what={replay ? leftDead(replay.waiting) : 'the rest stays dead and safe'}
          replay={ownReplay ?? id}
          onClose={() => setStopping(false)}
          onStop={() => stop(ownReplay ?? id)}
        />
      )}
    </>
  );
}

const SIGN = { running: 'flight', done: 'ok', interrupted: 'warn', failed: 'critical', unfinished: 'unknown' } as const;

function All() {
  const { body, error, since } = useAsked('/api/dlq/replays');
  const [stoppingId, setStopping] = useState<string | undefined>(undefined);
  shortcuts.current = () => false;
  const all = replays.value.length > 0 ? replays.value : body?.result;
  const stopping = all?.find(({ id, state }) => id === stoppingId && state === 'running');
  const others = [...runs.value.values()]
    .filter(({ replay, verb }) => replay === undefined && verb !== 'stop')
    .reverse();
  return (
    <>
      <h1>Replays</h1>
      {error && !all && <Refusal error={error} />}
      {!all && !error && <Waiting since={since} what="the replays" />}
      {all?.length === 0 && (
        <section class="empty">
          <h2>Nobody replayed anything yet</h2>
          <p>
            Choose dead letters <a href="#/dead">where they are listed</a>, and press Replay. Whoever looks sees it
            here, and can stop it.
          </p>
        </section>
      )}
      {all !== undefined && all.length > 0 && (
        <div class="wide-table">
          <table class="plain runs cards">
            <thead>
              <tr>
                <th>began</th>
                <th>who</th>
                <th>queues</th>
                <th class="end">chosen</th>
                <th class="end">replayed</th>
                <th class="end">answered</th>
                <th class="end">died again</th>
                <th class="end">failed</th>
                <th>state</th>
                <th>
                  <span class="unseen">what to do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {all.map((replay) => (
                <tr key={replay.id}>
                  <td data-label="began">
                    <a href={`#/replay/${encodeURIComponent(replay.id)}`}>
                      <Clock at={replay.started_at} />
                    </a>
                  </td>
                  <td data-label="who">{shown(replay.who)}</td>
                  <td data-label="queues">{replay.queues.map((queue) => shown(queue)).join(', ')}</td>
                  <td class="end n" data-label="chosen">
                    {count(replay.chosen)}
                  </td>
                  <td class="end n" data-label="replayed">
                    {count(replay.replayed)}
                  </td>
                  <td class="end n" data-label="answered">
                    {count(replay.answered)}
                  </td>
                  <td class="end n" data-label="died again">
                    {count(replay.died)}
                  </td>
                  <td class="end n" data-label="failed">
                    {count(replay.failed)}
                  </td>
                  <td class={`run-state ${replay.state}`} data-label="state">
                    <span>
                      <Glyph name={SIGN[replay.state]} /> {replay.state}
                      {replay.state === 'running' && replay.seconds_left !== null && (
                        <span class="muted"> {duration(replay.seconds_left)} left</span>
                      )}
                    </span>
                  </td>
                  <td>
                    {replay.state === 'running' && (
                      <Act
                        may="stop"
                        kind="danger"
                        label={`stop the replay of ${replay.who}`}
                        onPress={() => setStopping(replay.id)}
                      >
                        Stop…
                      </Act>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {others.length > 0 && (
        <>
          <h2>Else done from here</h2>
          <ul>
            {others.map((run) => (
              <li key={run.id}>
                <a href={`#/replay/${encodeURIComponent(run.id)}`}>{run.verb}</a> <Clock at={run.started_at} />{' '}
                <span class="muted">{run.state}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {stopping && (
        <StopDialog
          what={leftDead(stopping.waiting)}
          replay={stopping.id}
          onClose={() => setStopping(undefined)}
          onStop={() => stop(stopping.id)}
        />
      )}
    </>
  );
}

export function ReplayPage() {
  const { id } = route.value;
  return <div class="page">{id === '' ? <All /> : <One key={id} id={id} />}</div>;
}
