import { useEffect, useState } from 'preact/hooks';
import { ask } from '../client.ts';
import { count, full, many } from '../format.ts';
import { about, go, remember, runIt } from '../state.ts';
import type { Chosen, Run, Shown, WireError } from '../wire.ts';
import { Act, Clock, Dialog, LineToType, Notes, Refusal, shown, Waiting } from './basics.tsx';

/** What is to be done to what: by ids, or by filters as they were looked at. */
export interface Wanted {
  readonly verb: 'replay' | 'purge';
  readonly choice:
    | { readonly ids: readonly string[] }
    | { readonly filters: Readonly<Record<string, string | string[]>> };
  readonly edit?: { readonly subject?: string; readonly payload?: string };
}

/** A canary is worth its wait from so many on. */
const CANARY_FROM = 20;

/** Looks at a choice and keeps it: what is done is done to exactly these. */
function useChosen(wanted: Wanted, options: Readonly<Record<string, unknown>>) {
  const [chosen, setChosen] = useState<Chosen | undefined>(undefined);
  const [error, setError] = useState<WireError | undefined>(undefined);
  const [since, setSince] = useState<number | undefined>(undefined);
  const told = JSON.stringify(options);
  useEffect(() => {
    const abort = new AbortController();
    setSince(Date.now());
    const from = chosen === undefined || wanted.edit ? wanted.choice : { from: chosen.plan };
    const body = { verb: wanted.verb, ...from, options, ...(wanted.edit && { edit: wanted.edit }) };
    void ask<Chosen>('/api/plans', { method: 'POST', body, signal: abort.signal }).then((answer) => {
      if (abort.signal.aborted) return;
      setSince(undefined);
      setError(answer.ok ? undefined : answer.error);
      if (answer.ok) setChosen(answer.body);
    });
    return () => abort.abort();
  }, [told]);
  return { chosen, error, since };
}

function Groups({ chosen }: { chosen: Chosen }) {
  const groups = chosen.result.groups ?? [];
  if (groups.length === 0) return null;
  return (
    <table class="plain">
      <thead>
        <tr>
          <th class="end">how many</th>
          <th>queue</th>
          <th>subject</th>
          <th>reason</th>
          <th>last died</th>
        </tr>
      </thead>
      <tbody>
        {groups.slice(0, 8).map((group, index) => (
          <tr key={index}>
            <td class="end n">{count(group.count)}</td>
            <td>{shown(group.queue)}</td>
            <td>{shown(group.subject)}</td>
            <td>{shown(group.reason)}</td>
            <td>
              <Clock at={group.last_died_at} />
            </td>
          </tr>
        ))}
        {groups.length > 8 && (
          <tr>
            <td colSpan={5} class="muted">
              and {groups.length - 8} more groups
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** How many would go, by the dry run. */
const goingOf = ({ result, count: n }: Chosen): number =>
  result.purged ??
  (result.groups === undefined
    ? n - (result.skipped ?? 0)
    : result.groups.reduce((sum, group) => sum + group.count, 0));

async function begin(body: Record<string, unknown>, isSure: boolean): Promise<WireError | undefined> {
  const answer = await runIt(body);
  if (!answer.ok) return answer.error;
  // What the run would ask first was asked here, with the same figures.
  if (isSure) void answerFirst(answer.body.id);
  go('replay', { id: answer.body.id });
  return undefined;
}

/** Says yes to the first question of a run, once it is asked. */
export async function answerFirst(id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const got = await ask<Run>(`/api/runs/${id}`);
    if (!got.ok || got.body.state === 'done' || got.body.state === 'failed' || got.body.state === 'stopped') return;
    const question = got.body.question;
    if (question?.type === 'confirm') {
      const answered = await ask<Run>(`/api/runs/${id}/answer`, {
        method: 'POST',
        body: { question: question.n, answer: true },
      });
      if (answered.ok) remember(answered.body);
      return;
    }
    if (question) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function ReplayDialog({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const [options, setOptions] = useState<Record<string, unknown>>({});
  const [canary, setCanary] = useState<string | undefined>(undefined);
  const [rate, setRate] = useState('50/s');
  const [wait, setWait] = useState(true);
  const [refused, setRefused] = useState<WireError | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const { chosen, error, since } = useChosen(wanted, options);
  const going = chosen ? goingOf(chosen) : 0;
  const first = canary ?? (going >= CANARY_FROM ? '5' : '');
  const n = first === '' ? 0 : Number(first);
  const option = (key: string, value: string | boolean) =>
    setOptions(({ [key]: _, ...rest }) => (value === '' || value === false ? rest : { ...rest, [key]: value }));
  const start = async () => {
    setBusy(true);
    const how = { ...(rate !== '' && { rate }), ...(n > 0 ? { canary: n } : {}), ...(wait && { wait: true }) };
    setRefused(await begin({ verb: 'replay', plan: chosen!.plan, options: how }, false));
    setBusy(false);
  };
  const button = n > 0 && n < going ? `Replay ${count(n)}, then ${count(going - n)}` : `Replay ${count(going)}`;
  return (
    <Dialog title={wanted.edit ? 'Replay it as edited' : 'Replay'} onClose={onClose} wide>
      {!chosen && !error && <Waiting since={since} what="exactly these" />}
      {error && <Refusal error={error} heading="h3" />}
      {chosen && (
        <>
          <p class="consequence">
            <b>{full(going)}</b> of {many(chosen.count, 'dead letter')} would go back into the queue, to be tried as new
            {chosen.count > going && <>; {full(chosen.count - going)} stay where they are</>}. Looked at{' '}
            <Clock at={chosen.looked_at} />; what died since is not among them.
          </p>
          <Groups chosen={chosen} />
          {chosen.edit && (
            <table class="plain">
              <tbody>
                {chosen.edit.differences.map(({ path, from, to }) => (
                  <tr key={path}>
                    <th scope="row">{shown(path)}</th>
                    <td class="from">{from === null ? 'none' : shown(from)}</td>
                    <td class="to">{to === null ? 'none' : shown(to)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {chosen.result.samples?.map((sample) => (
            <p key={sample.id} class="muted">
              {shown(sample.id)}:{' '}
              {sample.changes
                .map(({ path, from, to }) => `${shown(path)} ${shown(from ?? 'none')} → ${shown(to ?? 'none')}`)
                .join(', ')}
            </p>
          ))}
          <Notes notes={chosen.notes} />
          <fieldset class="options">
            <legend class="unseen">how</legend>
            <label class="field">
              <span>first so many, and go on if they live</span>
              <input
                inputMode="numeric"
                size={5}
                value={first}
                placeholder="all"
                onInput={({ currentTarget }) => setCanary(currentTarget.value.replace(/\D/g, ''))}
              />
            </label>
            <label class="field">
              <span>at most</span>
              <input
                size={7}
                value={rate}
                placeholder="no limit"
                onInput={({ currentTarget }) => setRate(currentTarget.value)}
              />
            </label>
            <label class="check">
              <input type="checkbox" checked={wait} onChange={({ currentTarget }) => setWait(currentTarget.checked)} />
              <span>follow each to its answer or its next death</span>
            </label>
          </fieldset>
          <details>
            <summary>more: another subject, a transform, parked ones</summary>
            <fieldset class="options">
              <legend class="unseen">more</legend>
              <label class="field">
                <span>to another subject</span>
                <input onChange={({ currentTarget }) => option('to', currentTarget.value.trim())} />
              </label>
              {(about.value?.transforms.length ?? 0) > 0 && (
                <label class="field">
                  <span>changed by</span>
                  <select onChange={({ currentTarget }) => option('transform', currentTarget.value)}>
                    <option value="">nothing</option>
                    {about.value!.transforms.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                </label>
              )}
              <label class="field">
                <span>also what was replayed so often</span>
                <input
                  inputMode="numeric"
                  size={4}
                  placeholder="3"
                  onChange={({ currentTarget }) => option('max-replays', currentTarget.value)}
                />
              </label>
              <label class="check">
                <input
                  type="checkbox"
                  onChange={({ currentTarget }) => option('allow-redelivery', currentTarget.checked)}
                />
                <span>also where other consumers get it once more</span>
              </label>
            </fieldset>
          </details>
          {chosen.command && <LineToType text={chosen.command.text} />}
        </>
      )}
      {refused && <Refusal error={refused} heading="h3" />}
      <footer>
        <button type="button" autofocus onClick={onClose}>
          No, leave them
        </button>
        {chosen && (
          <Act
            may="replay"
            kind="main"
            not={going === 0 ? 'none of these can go' : isBusy || since !== undefined ? 'under way' : undefined}
            onPress={() => void start()}
          >
            {button}
          </Act>
        )}
      </footer>
    </Dialog>
  );
}

export function PurgeDialog({
  wanted,
  onClose,
  onReplay,
}: {
  wanted: Wanted;
  onClose: () => void;
  onReplay?: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [refused, setRefused] = useState<WireError | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const { chosen, error, since } = useChosen(wanted, {});
  const names = new Set(chosen?.result.groups?.map(({ queue }) => queue));
  const name = names.size === 1 ? [...names][0]! : 'purge';
  const going = chosen ? goingOf(chosen) : 0;
  const start = async () => {
    setBusy(true);
    setRefused(await begin({ verb: 'purge', plan: chosen!.plan }, true));
    setBusy(false);
  };
  return (
    <Dialog title="Purge" onClose={onClose} wide>
      {!chosen && !error && <Waiting since={since} what="exactly these" />}
      {error && <Refusal error={error} heading="h3" />}
      {chosen && (
        <>
          <p class="consequence">
            <b>{full(going)}</b> dead letters and {full(chosen.result.originals ?? going)} messages of the queue are
            removed. Before that they are written into an archive, which you can save here, and from which they can be
            put back.
          </p>
          {onReplay && (
            <p class="muted">
              The milder way: replay them; what dies {'more than 3 times'} is parked and bothers nobody.{' '}
              <button type="button" class="quiet" onClick={onReplay}>
                Replay instead…
              </button>
            </p>
          )}
          <Groups chosen={chosen} />
          <Notes notes={chosen.notes} />
          {chosen.command && <LineToType text={chosen.command.text} />}
          <label class="field">
            <span>
              to purge, type <b>{shown(name)}</b>
            </span>
            <input
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
        </>
      )}
      {refused && <Refusal error={refused} heading="h3" />}
      <footer>
        <button type="button" autofocus onClick={onClose}>
          No, keep them
        </button>
        {chosen && (
          <Act
            may="purge"
            kind="danger"
            not={
              going === 0
                ? 'none of these can go'
                : isBusy
                  ? 'under way'
                  : typed === name
                    ? undefined
                    : `type ${shown(name)} first`
            }
            onPress={() => void start()}
          >
            Purge {count(going)}
          </Act>
        )}
      </footer>
    </Dialog>
  );
}

/** The payload of one, to be changed before it goes back. */
export function EditDialog({
  entry,
  onClose,
  onDone,
}: {
  entry: Shown['result'];
  onClose: () => void;
  onDone: (edit: { subject?: string; payload?: string }) => void;
}) {
  const [payload, setPayload] = useState(entry.payload ?? '');
  const [subject, setSubject] = useState(entry.subject ?? '');
  const isCut = entry.payload_cut === true;
  const isSame = payload === entry.payload && subject === entry.subject;
  const not = isCut
    ? 'it is too long to be edited here: use dlq replay --edit'
    : entry.payload === undefined
      ? 'it is no text: use dlq replay --edit'
      : isSame
        ? 'nothing is changed'
        : undefined;
  return (
    <Dialog title={`Edit ${shown(entry.id)}`} onClose={onClose} wide>
      <label class="field tall">
        <span>subject</span>
        <input value={subject} spellcheck={false} onInput={({ currentTarget }) => setSubject(currentTarget.value)} />
      </label>
      <label class="field tall">
        <span>payload</span>
        <textarea
          rows={14}
          spellcheck={false}
          value={payload}
          readOnly={not !== undefined && !isSame}
          onInput={({ currentTarget }) => setPayload(currentTarget.value)}
        />
      </label>
      <footer>
        <button type="button" onClick={onClose}>
          No, leave it
        </button>
        <Act
          may="replay"
          kind="main"
          not={not}
          onPress={() =>
            onDone({ ...(subject !== entry.subject && { subject }), ...(payload !== entry.payload && { payload }) })
          }
        >
          See what it comes to…
        </Act>
      </footer>
    </Dialog>
  );
}
