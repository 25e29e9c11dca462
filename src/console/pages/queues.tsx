import { useState } from 'preact/hooks';
import { isLine } from '../../lib/model/shell.ts';
import { count, duration, many } from '../format.ts';
import { Act, Button, Clock, Glyph, HealthWord, LineToType, Refusal, shown, Waiting } from '../parts/basics.tsx';
import { Capacity } from '../parts/capacity.tsx';
import { PauseDialog, ResumeDialog } from '../parts/pause.tsx';
import { Sparks } from '../parts/sparks.tsx';
import { clocksIn, go, isStale, queues, server } from '../state.ts';
import type { Queue, QueueFinding, Queues } from '../wire.ts';

const queryOf = (filters: Readonly<Record<string, readonly string[]>>): URLSearchParams =>
  new URLSearchParams(Object.entries(filters).flatMap(([key, values]) => values.map((value) => [key, value])));

/** What was found, worst first, each with what one does next. */
function Finding({ finding, onResume }: { finding: QueueFinding; onResume: (queue: string) => void }) {
  const { act, queue } = finding;
  const filters = queryOf(act?.filters ?? (queue === undefined ? {} : { queue: [queue] }));
  const n = act?.count;
  // What is parked stays where it is, unless somebody asks for more.
  const parked = queues.value?.queues.find(({ name }) => name === queue)?.parked;
  const going = n === undefined || parked == null ? undefined : Math.max(0, n - parked);
  return (
    <li class={`finding ${finding.status}`}>
      <HealthWord health={finding.status} />
      <span class="queue">{shown(queue ?? finding.system ?? 'server')}</span>
      <span class="summary">{shown(clocksIn(finding.summary))}</span>
      <span class="acts">
        {act?.kind === 'see' && (
          <Button onPress={() => go('dead', { query: filters })}>See {n === undefined ? 'them' : count(n)}</Button>
        )}
        {act?.kind === 'see' && finding.code === 'CHECK_DEAD' && (
          <Act may="replay" kind="main" onPress={() => go('dead', { query: withDo(filters, 'replay') })}>
            Replay{going !== undefined && ` ${count(going)}`}…
          </Act>
        )}
        {act?.kind === 'plan' && <Button onPress={() => go('plan')}>See the plan</Button>}
        {act?.kind === 'resume' && queue !== undefined && (
          <Act may="pause" onPress={() => onResume(queue)}>
            Resume…
          </Act>
        )}
      </span>
      {finding.next !== undefined &&
        (isLine(finding.next) ? (
          <LineToType text={finding.next} label="the next step" />
        ) : (
          <span class="line">{shown(finding.next)}</span>
        ))}
    </li>
  );
}

/** The address of a choice that asks at once. */
function withDo(filters: URLSearchParams, what: string): URLSearchParams {
  const next = new URLSearchParams(filters);
  next.set('do', what);
  return next;
}

function verdictOf({ health, findings, queues: all }: Queues): string {
  if (all.length === 0) return 'no queue here';
  const bad = findings.filter(({ status }) => status === 'critical').length;
  const odd = findings.length - bad;
  if (bad > 0) return `${many(bad, 'thing')} critical${odd > 0 ? `, ${odd} more to look at` : ''}`;
  if (odd > 0) return `${many(odd, 'thing')} to look at`;
  return health === 'ok'
    ? `${all.length === 1 ? 'the queue is' : `all ${many(all.length, 'queue')} are`} healthy`
    : 'not all could be found out';
}

function Where({ queue }: { queue: Queue }) {
  const until = queue.paused[0]?.until;
  const { in: into, out } = queue.rates.now;
  const isMoving = (into ?? 0) > 0 || (out ?? 0) > 0;
  return (
    <>
      {queue.paused.length > 0 && (
        <p class="paused">
          <Glyph name="paused" />{' '}
          <span>paused until {until ? <Clock at={until} isShort /> : 'somebody resumes it'}</span>
        </p>
      )}
      <p>
        {queue.trend ? (
          shown(clocksIn(queue.trend.summary))
        ) : (
          <span class="muted">
            {queue.ready === null
              ? 'deleted, or the server does not answer for it'
              : queue.ready === 0 && into !== null && (isMoving || queue.in_flight === 0)
                ? isMoving
                  ? 'keeps up: what comes in is taken at once'
                  : 'stands still: nothing waits, nothing moves'
                : queue.paused.length > 0 && queue.paused.length === queue.consumers.length
                  ? 'what waits stays until it is resumed'
                  : 'where it goes is not known yet'}
          </span>
        )}
      </p>
      {queue.capacity.share !== null && (
        <p class="muted">
          {Math.round(queue.capacity.share * 100)} % full
          {/* A trend that ends there says what happens then. */}
          {!(queue.trend?.state === 'grows' && queue.trend.seconds !== undefined) &&
            `; when full ${queue.capacity.discard === 'new' ? 'publishers are refused' : 'the oldest are dropped'}`}
        </p>
      )}
    </>
  );
}

export function QueuesPage() {
  const [ask, setAsk] = useState<{ pause?: string; resume?: string }>({});
  const all = queues.value;
  const state = server.value;
  if (all === undefined) {
    if (state?.error && state.state !== 'connected') return <Refusal error={state.error} />;
    return <Waiting since={undefined} what="the queues" />;
  }
  const systems = new Set(all.queues.map(({ system }) => system));
  return (
    <div class={isStale.value ? 'stale' : undefined}>
      <h1 class={`verdict ${all.health}`}>
        <HealthWord health={all.health} />
        <span>{verdictOf(all)}</span>
      </h1>
      {all.findings.length > 0 && (
        <ul class="findings" aria-label="findings, the worst first">
          {all.findings.map((finding) => (
            <Finding
              key={`${finding.system} ${finding.id}`}
              finding={finding}
              onResume={(resume) => setAsk({ resume })}
            />
          ))}
        </ul>
      )}
      {all.queues.length === 0 ? (
        <section class="empty">
          <h2>No queue is here yet</h2>
          <p>
            The server was reached, and has no work queue that this tool knows of. Apply a spec, or name one on the
            command line.
          </p>
          <LineToType text="osapi-ops init" />
        </section>
      ) : (
        <ul class="queues" aria-label="queues">
          {all.queues.map((queue) => (
            <li key={`${queue.system} ${queue.name}`} class="queue-row">
              <div class="who">
                <h2>
                  <HealthWord health={queue.health} short />
                  <a href={`#/dead?queue=${encodeURIComponent(queue.name)}`}>{shown(queue.name)}</a>
                </h2>
                {systems.size > 1 && <p class="muted">{shown(queue.system ?? 'of no system')}</p>}
                <p class="muted">
                  {queue.oldest_seconds === null
                    ? 'not there'
                    : queue.oldest_seconds > 0
                      ? `oldest waits ${duration(queue.oldest_seconds)}`
                      : 'nothing waits'}
                </p>
                {queue.ready === null ? null : queue.paused.length > 0 ? (
                  <Act
                    may="pause"
                    kind="quiet"
                    label={`resume ${queue.name}`}
                    onPress={() => setAsk({ resume: queue.name })}
                  >
                    resume…
                  </Act>
                ) : (
                  <Act
                    may="pause"
                    kind="quiet"
                    label={`pause ${queue.name}`}
                    onPress={() => setAsk({ pause: queue.name })}
                  >
                    pause…
                  </Act>
                )}
              </div>
              <Capacity queue={queue} />
              <Sparks queue={queue} />
              <div class="where">
                <Where queue={queue} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {ask.pause !== undefined && <PauseDialog queue={ask.pause} onClose={() => setAsk({})} />}
      {ask.resume !== undefined && <ResumeDialog queue={ask.resume} onClose={() => setAsk({})} />}
    </div>
  );
}
