import { useState } from 'preact/hooks';
import { download } from '../client.ts';
import { bytes, many } from '../format.ts';
import { copy, go, say, useAsked } from '../state.ts';
import type { EntryState } from '../wire.ts';
import { Act, Button, Clock, Glyph, type GlyphName, Refusal, shown, Waiting } from './basics.tsx';
import { Life } from './life.tsx';
import { Payload } from './payload.tsx';

export const STATE_SIGN: Readonly<Record<EntryState, GlyphName>> = {
  replayable: 'flight',
  parked: 'parked',
  gone: 'gone',
  orphan: 'orphan',
};

export function StateWord({ state }: { state: EntryState }) {
  return (
    <span class={`state ${state}`}>
      <Glyph name={STATE_SIGN[state]} />
      {state}
    </span>
  );
}

/** What one that was answered has otherwise. */
function Difference({ id }: { id: string }) {
  const { body, error, since } = useAsked(`/api/dlq/alike?id=${encodeURIComponent(id)}`, { quiet: true });
  if (error) return <Refusal error={error} heading="h3" />;
  if (!body) return <Waiting since={since} what="those that lived" />;
  const { result } = body;
  if (result === null)
    return <p class="muted">{shown(body.why ?? 'There is none of its kind that lived to compare it with.')}</p>;
  return (
    <>
      <p>
        Beside <b>{shown(result.request_id ?? String(result.seq))}</b> on {shown(result.subject)}, which was answered:
      </p>
      {result.differences.length === 0 ? (
        <p class="muted">no difference but the id</p>
      ) : (
        <table class="plain cards">
          <thead>
            <tr>
              <th>where</th>
              <th>this, which died</th>
              <th>that, which lived</th>
            </tr>
          </thead>
          <tbody>
            {result.differences.map(({ path, dead, lived }) => (
              <tr key={path}>
                <th scope="row">{shown(path)}</th>
                <td data-label="this, which died">{dead === null ? <span class="muted">none</span> : shown(dead)}</td>
                <td data-label="that, which lived">
                  {lived === null ? <span class="muted">none</span> : shown(lived)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

interface Props {
  readonly id: string;
  readonly onClose: () => void;
  readonly onStep: (by: number) => void;
  readonly onPick: (what: 'only' | 'not' | 'by', path: string, value: string) => void;
  readonly onDo: (what: 'replay' | 'purge' | 'edit') => void;
}

/** One dead letter with all that is known of it. */
export function EntryPane({ id, onClose, onStep, onPick, onDo }: Props) {
  const [isDiffering, setDiffering] = useState(false);
  const { body, error, since } = useAsked(`/api/dlq/show?id=${encodeURIComponent(id)}`);
  const entry = body?.result;
  const save = async () => {
    const refused = await download(`/api/dlq/payload?id=${encodeURIComponent(id)}`);
    if (refused) say(refused.message);
  };
  const isGone = entry?.state === 'gone' ? 'nothing of it is left' : undefined;
  return (
    <section class="entry" aria-label={`dead letter ${id}`}>
      <header>
        <h2>
          <span class="id">{shown(id)}</span>
        </h2>
        <span class="steps">
          <Button kind="quiet" label="previous entry" keys="[" onPress={() => onStep(-1)}>
            ‹
          </Button>
          <Button kind="quiet" label="next entry" keys="]" onPress={() => onStep(1)}>
            ›
          </Button>
          <Button kind="quiet" label="copy the id" keys="c" onPress={() => void copy(id, 'the id')}>
            <Glyph name="copy" />
          </Button>
          <Button kind="quiet" label="close the entry" onPress={onClose}>
            <Glyph name="close" />
          </Button>
        </span>
      </header>
      {error && <Refusal error={error} heading="h3" />}
      {!entry && !error && <Waiting since={since} what="the entry" />}
      {entry && (
        <>
          <p class="facts">
            <StateWord state={entry.state} />
            <span>{shown(entry.detail ?? entry.reason)}</span>
            <span class="muted">
              {shown(entry.subject ?? 'subject unknown')}
              {entry.deliveries !== null && ` · ${many(entry.deliveries, 'try', 'tries')}`}
              {entry.replays > 0 && ` · replayed ${many(entry.replays, 'time')}`}
              {entry.size !== null && ` · ${bytes(entry.size)}`}
              {entry.cause && ` · gone: ${entry.cause.replaceAll('_', ' ')}`}
            </span>
          </p>
          <p class="acts">
            <Act may="replay" not={isGone} onPress={() => onDo('replay')}>
              Replay this…
            </Act>
            <Act may="replay" not={isGone} onPress={() => onDo('edit')} keys="e">
              Edit…
            </Act>
            <Act may="purge" kind="danger" onPress={() => onDo('purge')}>
              Purge…
            </Act>
            {entry.request_id !== null && (
              <Button kind="quiet" onPress={() => go('request', { id: entry.request_id! })}>
                its request
              </Button>
            )}
          </p>
          <Payload body={entry} onPick={onPick} onDownload={isGone ? undefined : () => void save()} />
          <h3>Life</h3>
          <Life moments={entry.timeline} />
          <h3>Headers</h3>
          {Object.keys(entry.headers).length === 0 ? (
            <p class="muted">none</p>
          ) : (
            <table class="plain headers">
              <tbody>
                {Object.entries(entry.headers).flatMap(([name, values]) =>
                  values.map((value, index) => (
                    <tr key={`${name} ${index}`}>
                      <th scope="row">{shown(name)}</th>
                      <td>{shown(value)}</td>
                      <td class="end">
                        <Button
                          kind="quiet"
                          label={`group by the header ${name}`}
                          onPress={() => onPick('by', `header:${name}`, value)}
                        >
                          group
                        </Button>
                      </td>
                    </tr>
                  )),
                )}
              </tbody>
            </table>
          )}
          <h3>Against one that lived</h3>
          {isDiffering ? <Difference id={id} /> : <Button onPress={() => setDiffering(true)}>Compare</Button>}
          <h3>Records</h3>
          <ul class="records muted">
            {entry.records.map(({ stream, seq, kind, time }) => (
              <li key={`${stream} ${seq}`}>
                {kind} in {shown(stream)}, message {seq}, <Clock at={time} />
              </li>
            ))}
            {entry.records.length === 0 && <li>none: the server told nobody of this death</li>}
          </ul>
        </>
      )}
    </section>
  );
}
