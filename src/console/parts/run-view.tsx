import { useState } from 'preact/hooks';
import { act, download } from '../client.ts';
import { bytes, count, duration, full, leftDead, many } from '../format.ts';
import { useLine } from '../run.ts';
import { go, remember, runIt, say } from '../state.ts';
import type { ReplayRunJson, Run, WireError } from '../wire.ts';
import {
  Act,
  Ago,
  Button,
  Clock,
  Dialog,
  Foot,
  Glyph,
  type GlyphName,
  LineToType,
  Notes,
  Refusal,
  shown,
} from './basics.tsx';

/** What became of each, in this order, always: a bar that grows. */
const FATES = [
  { key: 'answered', word: 'answered', sign: 'ok', what: 'their response is there' },
  { key: 'acked', word: 'acked', sign: 'flight', what: 'a worker acked them, without a response' },
  { key: 'died', word: 'died again', sign: 'dead', what: 'dead once more' },
  { key: 'failed', word: 'failed', sign: 'critical', what: 'could not be put back' },
  { key: 'skipped', word: 'skipped', sign: 'gone', what: 'nothing was left of them, or they have their answer' },
] as const satisfies readonly { key: keyof ReplayRunJson; word: string; sign: GlyphName; what: string }[];

const STATE_WORDS: Readonly<Record<ReplayRunJson['state'], string>> = {
  running: 'runs',
  done: 'done',
  interrupted: 'stopped before its end',
  failed: 'failed',
  unfinished: 'was not heard of for a while: killed, or without its connection',
};

/** A replay as all can see it, whoever runs it. */
export function ReplayView({ replay, onStop }: { replay: ReplayRunJson; onStop?: (() => void) | undefined }) {
  const { chosen, replayed } = replay;
  const followed = replay.answered + replay.acked + replay.died;
  const under = Math.max(0, replayed - followed);
  const whole = Math.max(1, chosen);
  return (
    <section class={`run ${replay.state}`} aria-label={`replay ${replay.id}`}>
      <header>
        <h1>
          <Glyph name={replay.state === 'running' ? 'flight' : replay.state === 'done' ? 'ok' : 'warn'} />{' '}
          {full(chosen)} {chosen === 1 ? 'dead letter' : 'dead letters'} of{' '}
          {replay.queues.map((queue) => shown(queue)).join(', ')}: {STATE_WORDS[replay.state]}
        </h1>
        {replay.state === 'running' && onStop && (
          <Act may="stop" kind="danger" keys="s" onPress={onStop}>
            Stop…
          </Act>
        )}
      </header>
      <p class="muted">
        {shown(replay.who)} from {shown(replay.ci ?? replay.host)}, began <Clock at={replay.started_at} />
        {replay.state === 'running' && replay.seconds_left !== null && `, about ${duration(replay.seconds_left)} left`}
        {replay.state === 'running' && (
          <>
            , heard of <Ago at={replay.updated_at} /> ago
          </>
        )}
        {replay.stopped_by !== undefined && `, stopped by ${shown(replay.stopped_by)}`}
      </p>
      <div
        class="bar tall"
        role="progressbar"
        aria-label="replayed"
        aria-valuemin={0}
        aria-valuemax={chosen}
        aria-valuenow={replayed}
        aria-valuetext={`${replayed} of ${chosen} replayed, ${replay.answered} answered, ${replay.died} died again, ${replay.failed} failed`}
      >
        {FATES.map(
          ({ key }) =>
            replay[key] > 0 && <span key={key} class={`part ${key}`} style={{ flexGrow: replay[key] / whole }} />,
        )}
        {under > 0 && <span class="part under" style={{ flexGrow: under / whole }} />}
        <span class="part free" style={{ flexGrow: replay.waiting / whole }} />
      </div>
      <ul class="figures">
        {FATES.map(({ key, word, sign, what }) => (
          <li key={key} class={replay[key] > 0 ? key : 'none'} title={what}>
            <b class="n">{count(replay[key])}</b>
            <span>
              <Glyph name={sign} /> {word}
            </span>
          </li>
        ))}
        <li
          class={under > 0 ? 'under' : 'none'}
          title={`replayed; ${replay.state === 'running' ? 'what becomes of them is not known yet' : 'what became of them nobody waited for'}`}
        >
          <b class="n">{count(under)}</b>
          <span>
            <Glyph name="waiting" /> back, {replay.state === 'running' ? 'fate open' : 'end not seen'}
          </span>
        </li>
        <li class="none" title="chosen and not done">
          <b class="n">{count(replay.waiting)}</b>
          <span>not done</span>
        </li>
      </ul>
      {replay.error !== undefined && <p class="notes warning">{shown(replay.error)}</p>}
      {replay.finished_by?.map(({ id, count: n }) => (
        <p key={id} class="notes">
          {many(n, 'of them was', 'of them were')} finished by{' '}
          <a href={`#/replay/${encodeURIComponent(id)}`}>the replay that came after</a>
        </p>
      ))}
      {replay.finished_for
        ?.filter(({ count: n }) => n > 0)
        .map(({ id, count: n }, index) => (
          <p key={index} class="notes">
            it finished {count(n)} of{' '}
            {id === undefined ? (
              'an earlier replay'
            ) : (
              <a href={`#/replay/${encodeURIComponent(id)}`}>an earlier replay</a>
            )}
          </p>
        ))}
      {replay.failures.length > 0 && (
        <>
          <h2>Not brought back</h2>
          <table class="plain">
            <tbody>
              {replay.failures.map(({ id, error, new_seq: now }) => (
                <tr key={id}>
                  <th scope="row">
                    {/* Replayed and dead again it stands under its copy's sequence. */}
                    <a
                      href={`#/dead?id=${encodeURIComponent(now === undefined ? id : id.replace(/\d+$/, String(now)))}`}
                    >
                      {shown(id)}
                      {now !== undefined && `, now ${now}`}
                    </a>
                  </th>
                  <td>{shown(error)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      <p class="muted">{replay.state === 'running' ? 'the line that does the same' : 'to do it again, later'}</p>
      <LineToType text={replay.line} />
    </section>
  );
}

const RUN_WORDS: Readonly<Record<Run['state'], string>> = {
  running: 'under way',
  asking: 'waits for an answer',
  done: 'done',
  failed: 'failed',
  stopped: 'stopped; what was done stays done',
};

const VERB_WORDS: Readonly<Record<Run['verb'], string>> = {
  replay: 'Replay',
  purge: 'Purge',
  import: 'Put back',
  apply: 'Apply',
  pause: 'Pause',
  resume: 'Resume',
  send: 'Send',
  cancel: 'Take back',
  stop: 'Stop a replay',
};

/** Figures of a result that a person wants to see, whatever the verb. */
function Counts({ result }: { result: unknown }) {
  if (typeof result !== 'object' || result === null) return null;
  const counts = Object.entries(result).filter(([, value]) => typeof value === 'number');
  const texts = Object.entries(result).filter(
    ([key, value]) => typeof value === 'string' && ['outcome', 'detail', 'id'].includes(key),
  );
  if (counts.length + texts.length === 0) return null;
  return (
    <ul class="figures">
      {counts.map(([key, value]) => (
        <li key={key} class={value === 0 ? 'none' : key}>
          <b class="n">{count(value as number)}</b>
          <span>{key.replaceAll('_', ' ')}</span>
        </li>
      ))}
      {texts.map(([key, value]) => (
        <li key={key}>
          <span>
            {key}: {shown(value as string)}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What this console does or did, with all that it told. */
export function RunView({ run, replay }: { run: Run; replay: ReplayRunJson | undefined }) {
  const [error, setError] = useState<WireError | undefined>(undefined);
  const [isStopping, setStopping] = useState(false);
  const isOn = run.state === 'running' || run.state === 'asking';
  const undo = async () => {
    const answer = await runIt({ verb: 'import', run: run.id });
    if (answer.ok) go('replay', { id: answer.body.id });
    else setError(answer.error);
  };
  const save = async () => setError(await download(`/api/runs/${run.id}/archive`));
  const { progress } = run;
  return (
    <>
      {replay ? (
        <ReplayView replay={replay} onStop={isOn ? () => setStopping(true) : undefined} />
      ) : (
        <section class={`run ${run.state}`}>
          <header>
            <h1>
              <Glyph
                name={run.state === 'done' ? 'ok' : run.state === 'failed' ? 'critical' : isOn ? 'flight' : 'warn'}
              />{' '}
              {VERB_WORDS[run.verb]}: {RUN_WORDS[run.state]}
            </h1>
            {isOn && (
              <Button kind="danger" keys="s" onPress={() => setStopping(true)}>
                Stop…
              </Button>
            )}
          </header>
          <p class="muted">
            began <Clock at={run.started_at} />
            {run.ended_at && `, took ${duration((Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000)}`}
          </p>
          {progress && (
            <p class="progress">
              <progress value={progress.done} max={progress.total ?? undefined} aria-label={shown(progress.title)} />
              <span class="n">
                {shown(progress.title)} {count(progress.done)}
                {progress.total !== undefined && ` of ${count(progress.total)}`}
              </span>
            </p>
          )}
          <Counts result={run.result} />
          <LineToType text={run.command.text} />
        </section>
      )}
      {(run.tasks?.length ?? 0) > 0 && (
        <ul class="tasks">
          {run.tasks!.map(({ title, state, detail }, index) => (
            <li key={index} class={state}>
              <Glyph
                name={
                  state === 'done' ? 'ok' : state === 'failed' ? 'critical' : state === 'started' ? 'flight' : 'waiting'
                }
              />{' '}
              {shown(title)} <span class="muted">{shown(detail ?? state)}</span>
            </li>
          ))}
        </ul>
      )}
      <Notes notes={run.tells} />
      {/* A stop that was asked for is no fault. */}
      {run.error &&
        (run.state === 'stopped' ? <p class="notes">{shown(run.error.message)}</p> : <Refusal error={run.error} />)}
      {error && <Refusal error={error} />}
      {run.archive && (
        <p class="acts">
          <Button onPress={() => void save()}>Save the archive, {bytes(run.archive.bytes)}</Button>
          {run.verb === 'purge' && !isOn && (
            <Act may="import" onPress={() => void undo()}>
              Put them back
            </Act>
          )}
        </p>
      )}
      {run.question && run.state === 'asking' && (
        <QuestionDialog key={run.question.n} run={run} question={run.question} />
      )}
      {isStopping && isOn && (
        <StopDialog
          what={replay ? leftDead(replay.waiting) : 'what is not done stays as it is'}
          replay={replay?.id}
          onClose={() => setStopping(false)}
          onStop={async () => {
            const stopped = await act(`/api/runs/${run.id}/stop`, {});
            if (stopped.ok) remember(stopped.body);
            else say(stopped.error.message);
          }}
        />
      )}
    </>
  );
}

export function StopDialog({
  what,
  replay,
  onClose,
  onStop,
}: {
  what: string;
  /** Its id, where anybody can stop it. */
  replay: string | undefined;
  onClose: () => void;
  onStop: () => Promise<void>;
}) {
  const line = useLine(replay === undefined ? undefined : { verb: 'stop', replay });
  return (
    <Dialog title="Stop it?" onClose={onClose}>
      <p>What is under way is finished; {what}. The same line goes on with it later.</p>
      <Foot no="No, let it run" onNo={onClose} line={line}>
        <Button
          kind="danger"
          onPress={() => {
            void onStop();
            onClose();
          }}
        >
          Stop
        </Button>
      </Foot>
    </Dialog>
  );
}

/** What a command would ask in a terminal, with the same default. */
function QuestionDialog({ run, question }: { run: Run; question: NonNullable<Run['question']> }) {
  const [text, setText] = useState('');
  const answer = async (value: boolean | string) => {
    const answered = await act(`/api/runs/${run.id}/answer`, { question: question.n, answer: value });
    if (answered.ok) remember(answered.body);
    else say(answered.error.message);
  };
  const isNamed = question.type === 'typed-name';
  return (
    <Dialog title={`${VERB_WORDS[run.verb]}: a question`} onClose={() => void answer(question.fallback)}>
      <p class="pre">{shown(question.text, true)}</p>
      {question.type === 'choice' ? (
        <p class="acts">
          {question.choices.map(({ value, label }) => (
            <Button key={value} onPress={() => void answer(value)}>
              {shown(label)}
            </Button>
          ))}
        </p>
      ) : (
        question.type !== 'confirm' && (
          <label class="field">
            <span>{isNamed ? `type ${shown(question.name)}` : 'answer'}</span>
            <input value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
          </label>
        )
      )}
      <Foot no="No" onNo={() => void answer(question.fallback)}>
        {question.type !== 'choice' && (
          <Button
            kind="main"
            not={isNamed && text !== question.name ? `type ${shown(question.name)} first` : undefined}
            onPress={() => void answer(question.type === 'confirm' ? true : text)}
          >
            Yes
          </Button>
        )}
      </Foot>
    </Dialog>
  );
}
