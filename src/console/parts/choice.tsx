import { useEffect, useState } from 'preact/hooks';
import { shellLine } from '../../lib/model/shell.ts';
import { act, upload } from '../client.ts';
import { count, full, many } from '../format.ts';
import { useLine, useRun } from '../run.ts';
import { about } from '../state.ts';
import type { Chosen, ShownLetter, Uploaded, WireError } from '../wire.ts';
import { Act, Clock, Dialog, Foot, LineToType, Notes, Refusal, shown, Waiting } from './basics.tsx';

/** What is to be done to what: by ids, or by filters as they were looked at. */
export interface Wanted {
  readonly verb: 'replay' | 'purge';
  readonly choice:
    | { readonly ids: readonly string[] }
    /** `all`: up to the moment of the look, which nobody asked for. */
    | { readonly filters: Readonly<Record<string, string | string[]>>; readonly all: boolean };
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
    // With other options others can go as well: they are chosen again, as they were first.
    const { verb, choice, edit } = wanted;
    const body = { verb, ...choice, options, ...(edit && { edit }) };
    void act('/api/plans', body, { signal: abort.signal }).then((answer) => {
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
    <table class="plain cards">
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
            <td data-label="how many" class="end n">
              {count(group.count)}
            </td>
            <td data-label="queue">{shown(group.queue)}</td>
            <td data-label="subject">{shown(group.subject)}</td>
            <td data-label="reason">{shown(group.reason)}</td>
            <td data-label="last died">
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
const goingOf = ({ result }: Chosen): number =>
  'purged' in result ? result.purged : (result.groups ?? []).reduce((sum, group) => sum + group.count, 0);

/** What an edit or a transform makes of the first of them. */
function Samples({ result }: Pick<Chosen, 'result'>) {
  if (!('samples' in result) || result.samples === undefined) return null;
  return (
    <>
      {result.samples.map(({ id, changes }) => (
        <table key={id} class="plain">
          <caption>{shown(id)} as it would go in</caption>
          <tbody>
            {changes.map(({ path, from, to }) => (
              <tr key={path}>
                <th scope="row">{shown(path)}</th>
                <td class="from">{from === null ? 'none' : shown(from)}</td>
                <td class="to">
                  <span aria-hidden="true">→ </span>
                  {to === null ? 'none' : shown(to)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </>
  );
}

/** What a run is begun with, as it is typed. */
const flagWords = (how: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(how).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));

export function ReplayDialog({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const [options, setOptions] = useState<Record<string, unknown>>({});
  const [canary, setCanary] = useState<string | undefined>(undefined);
  const [rate, setRate] = useState('50/s');
  const [wait, setWait] = useState(true);
  const { error: refused, not: busy, begin } = useRun();
  const { chosen, error, since } = useChosen(wanted, options);
  const going = chosen ? goingOf(chosen) : 0;
  const skipped = chosen?.result.skipped ?? 0;
  const first = canary ?? (going >= CANARY_FROM ? '5' : '');
  const n = first === '' ? 0 : Number(first);
  const option = (key: string, value: string | boolean) =>
    setOptions(({ [key]: _, ...rest }) => (value === '' || value === false ? rest : { ...rest, [key]: value }));
  const how = { ...(rate !== '' && { rate }), ...(n > 0 && { canary: n }), ...(wait && { wait: true }) };
  const button = n > 0 && n < going ? `Replay ${count(n)}, then ${count(going - n)}` : `Replay ${count(going)}`;
  return (
    <Dialog title={wanted.edit ? 'Replay it as edited' : 'Replay'} onClose={onClose} wide>
      {!chosen && !error && <Waiting since={since} what="exactly these" />}
      {error && <Refusal error={error} heading="h3" />}
      {chosen && (
        <>
          <p class="consequence">
            <b>{full(going)}</b> of {many(going + skipped, 'dead letter')} would go back into the queue, to be tried as
            new{going + skipped === 0 && ': nothing of them is left, or their queue is not there'}
            {skipped > 0 && `; ${full(skipped)} stay where they are`}.
            {'filters' in wanted.choice && (
              <>
                {' '}
                What died after <Clock at={chosen.looked_at} /> is not among them.
              </>
            )}
          </p>
          <Groups chosen={chosen} />
          <Samples result={chosen.result} />
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
          <LineToType text={shellLine([...chosen.acts.argv, ...flagWords(how)])} />
        </>
      )}
      <Foot no="No, leave them" onNo={onClose} error={refused}>
        {chosen && (
          <Act
            may="replay"
            kind="main"
            not={going === 0 ? 'none of these can go' : since !== undefined ? 'under way' : busy}
            onPress={() => void begin({ verb: 'replay', plan: chosen.plan, options: how })}
          >
            {button}
          </Act>
        )}
      </Foot>
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
  const { error: refused, not: busy, begin } = useRun();
  const { chosen, error, since } = useChosen(wanted, {});
  const names = new Set(chosen?.result.groups?.map(({ queue }) => queue));
  const name = names.size === 1 ? [...names][0]! : 'purge';
  const going = chosen ? goingOf(chosen) : 0;
  const originals = chosen && 'originals' in chosen.result ? chosen.result.originals : going;
  return (
    <Dialog title="Purge" onClose={onClose} wide>
      {!chosen && !error && <Waiting since={since} what="exactly these" />}
      {error && <Refusal error={error} heading="h3" />}
      {chosen && (
        <>
          <p class="consequence">
            <b>{full(going)}</b> dead letters and {full(originals)} messages of the queue are removed. Before that they
            are written into an archive, which you can save here, and from which they can be put back.
          </p>
          {onReplay && (
            <p class="muted">
              The milder way: replay them; what dies more than 3 times is parked and bothers nobody.{' '}
              <button type="button" class="quiet" onClick={onReplay}>
                Replay instead…
              </button>
            </p>
          )}
          <Groups chosen={chosen} />
          <Notes notes={chosen.notes} />
          <LineToType text={chosen.acts.text} />
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
      <Foot no="No, keep them" onNo={onClose} error={refused}>
        {chosen && (
          <Act
            may="purge"
            kind="danger"
            not={
              going === 0
                ? 'none of these can go'
                : (busy ?? (typed === name ? undefined : `type ${shown(name)} first`))
            }
            onPress={() => void begin({ verb: 'purge', plan: chosen.plan }, true)}
          >
            Purge {count(going)}
          </Act>
        )}
      </Foot>
    </Dialog>
  );
}

/** An archive of a purge or an export, brought back: looked at first, then written by the same line as in a terminal. */
export function ArchiveDialog({ onClose }: { onClose: () => void }) {
  const [looked, setLooked] = useState<Uploaded | undefined>(undefined);
  const [error, setError] = useState<WireError | undefined>(undefined);
  const [since, setSince] = useState<number | undefined>(undefined);
  const { error: refused, not: busy, begin } = useRun();
  const deed = looked && { verb: 'import', archive: looked.archive };
  const line = useLine(deed);
  const look = async (file: File | undefined) => {
    if (!file) return;
    setLooked(undefined);
    setSince(Date.now());
    const answer = await upload('/api/archives', file);
    setSince(undefined);
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) setLooked(answer.body);
  };
  return (
    <Dialog title="Put back an archive" onClose={onClose} wide>
      <p>
        A file that a purge or an export wrote. Its dead letters are dead letters again, to be replayed when somebody
        wants it; what is there already is left alone.
      </p>
      <label class="field tall">
        <span>the archive</span>
        <input
          type="file"
          accept=".ndjson,application/x-ndjson"
          onChange={({ currentTarget }) => void look(currentTarget.files?.[0])}
        />
      </label>
      {since !== undefined && <Waiting since={since} what="the archive" />}
      {looked && (
        <p class="consequence">
          <b>{full(looked.result.imported)}</b> of it are put back
          {looked.result.skipped > 0 && `; ${full(looked.result.skipped)} are there already`}
          {looked.result.failed > 0 && `; ${full(looked.result.failed)} have no place here`}.
        </p>
      )}
      {looked && <Notes notes={looked.notes} />}
      <Foot no="No, leave it" onNo={onClose} error={error ?? refused} line={line} types>
        <Act
          may="import"
          kind="main"
          not={!looked ? 'choose a file' : looked.result.imported === 0 ? 'nothing of it is missing' : busy}
          onPress={() => void begin(deed!)}
        >
          Put back {looked ? count(looked.result.imported) : ''}
        </Act>
      </Foot>
    </Dialog>
  );
}

/** The payload of one, to be changed before it goes back. */
export function EditDialog({
  entry,
  onClose,
  onDone,
}: {
  entry: ShownLetter;
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
      <Foot no="No, leave it" onNo={onClose} types>
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
      </Foot>
    </Dialog>
  );
}
