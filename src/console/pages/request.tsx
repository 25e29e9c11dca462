import { useEffect, useState } from 'preact/hooks';
import { download } from '../client.ts';
import { bytes, many } from '../format.ts';
import { shortcuts } from '../keys.ts';
import {
  Act,
  Button,
  Clock,
  Dialog,
  Foot,
  Glyph,
  type GlyphName,
  Notes,
  Refusal,
  shown,
  Waiting,
} from '../parts/basics.tsx';
import { Life } from '../parts/life.tsx';
import { Payload } from '../parts/payload.tsx';
import { answerFirst, useLine, useRun } from '../run.ts';
import { go, queues, route, say, useAsked } from '../state.ts';
import type { Body, RequestBodies } from '../wire.ts';

const SIGNS: Readonly<Record<string, GlyphName>> = {
  answered: 'ok',
  queued: 'waiting',
  in_flight: 'flight',
  retry: 'retrying',
  dead: 'dead',
  unknown: 'unknown',
};
const WORDS: Readonly<Record<string, string>> = {
  answered: 'it was answered',
  queued: 'it waits in the queue',
  in_flight: 'a worker has it',
  retry: 'it failed, and is tried again',
  dead: 'it is dead',
  unknown: 'nothing on the server knows it',
};

function One({ id }: { id: string }) {
  const [again, setAgain] = useState(0);
  const [isCancelling, setCancelling] = useState(false);
  const [isTaken, setTaken] = useState(false);
  const { body, error, since } = useAsked(`/api/request/show?id=${encodeURIComponent(id)}`, { again });
  const life = body?.result;
  const answer = useAsked(life?.state === 'answered' ? `/api/request/get?id=${encodeURIComponent(id)}` : undefined, {
    again,
    quiet: true,
  });
  if (isTaken && error?.code === 'NOT_FOUND') {
    return (
      <h1 class="verdict request">
        <Glyph name="ok" />
        <span>
          <code>{shown(id)}</code> was taken back: nobody will answer it
        </span>
      </h1>
    );
  }
  // What was seen before says nothing of what is not there any more.
  if (error && (!life || error.code === 'NOT_FOUND')) return <Refusal error={error} />;
  if (!life) return <Waiting since={since} what="the request" />;
  const payload = bodyOf(life, 'payload');
  const response = bodyOf(answer.body?.result ?? life, 'response');
  const save = async () => {
    const refused = await download(`/api/request/response?id=${encodeURIComponent(id)}`);
    if (refused) say(refused.message);
  };
  return (
    <article>
      <h1 class={`verdict request ${life.state}`}>
        <Glyph name={SIGNS[life.state] ?? 'unknown'} />
        <span>
          <code>{shown(life.id)}</code>: {WORDS[life.state]}
        </span>
      </h1>
      {life.detail !== undefined && <p>{shown(life.detail)}</p>}
      {error && <Refusal error={error} />}
      <Notes notes={body?.notes} />
      <p class="muted">
        {life.queue !== undefined && `in ${shown(life.queue)}`}
        {life.subject !== undefined && ` on ${shown(life.subject)}`}
        {life.deliveries !== undefined && ` · ${many(life.deliveries, 'delivery', 'deliveries')}`}
        {life.next_delivery_at !== undefined && (
          <>
            {' '}
            · next try <Clock at={life.next_delivery_at} />
          </>
        )}
      </p>
      <p class="acts">
        {life.entry !== undefined && (
          <Button
            onPress={() => go('dead', { query: new URLSearchParams({ id: life.entry!, 'request-id': life.id }) })}
          >
            See the dead letter
          </Button>
        )}
        {(life.state === 'queued' || life.state === 'retry') && (
          <Act may="cancel" kind="danger" onPress={() => setCancelling(true)}>
            Take it back…
          </Act>
        )}
        <Button kind="quiet" onPress={() => setAgain(again + 1)}>
          look again
        </Button>
      </p>
      <h2>Life</h2>
      <Life moments={life.timeline} />
      {payload && (
        <>
          <h2>Request</h2>
          <Payload body={payload} />
        </>
      )}
      {response && (
        <>
          <h2>Response</h2>
          <Payload body={response} onDownload={() => void save()} />
        </>
      )}
      {isCancelling && (
        <CancelDialog
          id={life.id}
          queue={life.queue}
          onClose={() => setCancelling(false)}
          onDone={() => {
            setTaken(true);
            setAgain(again + 1);
          }}
        />
      )}
    </article>
  );
}

/** Bytes of a request as a payload: what came as JSON is text again. */
function bodyOf(bodies: RequestBodies, name: 'payload' | 'response'): Body | undefined {
  const whole = bodies[name];
  const base64 = bodies[`${name}_base64`];
  if (whole === undefined && base64 === undefined) return undefined;
  return {
    ...(whole !== undefined && { payload: typeof whole === 'string' ? whole : JSON.stringify(whole) }),
    payload_base64: base64,
    payload_cut: bodies[`${name}_cut`],
    payload_size: bodies[`${name}_size`],
  };
}

function CancelDialog({
  id,
  queue,
  onClose,
  onDone,
}: {
  id: string;
  queue: string | undefined;
  onClose: () => void;
  onDone: () => void;
}) {
  const { error, not, run } = useRun();
  const deed = { verb: 'cancel', id, ...(queue !== undefined && { queue }) };
  const line = useLine(deed);
  const cancel = async () => {
    const begun = await run(deed);
    if (!begun) return;
    await answerFirst(begun.id);
    onDone();
    onClose();
  };
  return (
    <Dialog title="Take the request back?" onClose={onClose}>
      <p>
        <code>{shown(id)}</code> is removed from the queue, where no worker has it yet. Nobody will answer it.
      </p>
      <Foot no="No, leave it" onNo={onClose} error={error} line={line}>
        <Act may="cancel" kind="danger" not={not} onPress={() => void cancel()}>
          Take it back
        </Act>
      </Foot>
    </Dialog>
  );
}

function SendDialog({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState('');
  const [payload, setPayload] = useState('{"query": ""}');
  const [id, setId] = useState('');
  const { error, not, begin } = useRun();
  const deed = { verb: 'send', kind, payload, ...(id !== '' && { id }) };
  const line = useLine(kind === '' ? undefined : deed);
  return (
    <Dialog title="Send a request" onClose={onClose} wide>
      <label class="field tall">
        <span>kind, or a whole subject</span>
        <input
          value={kind}
          spellcheck={false}
          placeholder="dns"
          onInput={({ currentTarget }) => setKind(currentTarget.value)}
        />
      </label>
      <label class="field tall">
        <span>payload</span>
        <textarea
          rows={6}
          spellcheck={false}
          value={payload}
          onInput={({ currentTarget }) => setPayload(currentTarget.value)}
        />
      </label>
      <label class="field tall">
        <span>id; a fresh one where it is left out</span>
        <input value={id} spellcheck={false} onInput={({ currentTarget }) => setId(currentTarget.value)} />
      </label>
      <Foot no="No, send nothing" onNo={onClose} error={error} line={line} types>
        <Act may="send" kind="main" not={kind === '' ? 'say which kind' : not} onPress={() => void begin(deed)}>
          Send
        </Act>
      </Foot>
    </Dialog>
  );
}

function Waiters() {
  const names = queues.value?.queues.map(({ name }) => name) ?? [];
  const [queue, setQueue] = useState<string | undefined>(undefined);
  const from = queue ?? names[0];
  const { body, error, since } = useAsked(
    from === undefined ? undefined : `/api/request/ls?queue=${encodeURIComponent(from)}&limit=100`,
  );
  return (
    <>
      <header class="page-head">
        <h2>What waits</h2>
        {names.length > 1 && (
          <label class="field">
            <span>in</span>
            <select value={from} onChange={({ currentTarget }) => setQueue(currentTarget.value)}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </header>
      {from === undefined && (
        <p class="muted">
          {queues.value ? 'No queue is here.' : 'Which queues there are is not known; the page Queues says why.'}
        </p>
      )}
      {error && <Refusal error={error} heading="h3" />}
      {!body && !error && from !== undefined && <Waiting since={since} what="what waits" />}
      {body?.result.length === 0 && <p class="muted">Nothing waits in {shown(from!)}.</p>}
      {body && body.result.length > 0 && (
        <div class="wide-table">
          <table class="plain cards">
            <thead>
              <tr>
                <th>published</th>
                <th>id</th>
                <th>subject</th>
                <th class="end">size</th>
                <th class="end">replays</th>
              </tr>
            </thead>
            <tbody>
              {body.result.map((one) => (
                <tr key={one.seq}>
                  <td data-label="published">
                    <Clock at={one.published_at} />
                  </td>
                  <td data-label="id">
                    {one.id === null ? (
                      <span class="muted">none</span>
                    ) : (
                      <a href={`#/request/${encodeURIComponent(one.id)}`}>{shown(one.id)}</a>
                    )}
                  </td>
                  <td data-label="subject">{shown(one.subject)}</td>
                  <td class="end n" data-label="size">
                    {bytes(one.size)}
                  </td>
                  <td class="end n" data-label="replays">
                    {one.replays}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

export function RequestPage() {
  const { id } = route.value;
  const [typed, setTyped] = useState(id);
  const [isSending, setSending] = useState(false);
  useEffect(() => setTyped(id), [id]);
  shortcuts.current = () => false;
  return (
    <div class="page">
      {id === '' && <h1>Request</h1>}
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== '') go('request', { id: typed.trim() });
        }}
      >
        <label class="field">
          <span>the id of a request</span>
          <input
            id="filter"
            value={typed}
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
        <button type="submit" class="main">
          Show its life
        </button>
        <Act may="send" onPress={() => setSending(true)}>
          Send one…
        </Act>
      </form>
      {id === '' ? <Waiters /> : <One key={id} id={id} />}
      {isSending && <SendDialog onClose={() => setSending(false)} />}
    </div>
  );
}
