import { useState } from 'preact/hooks';
import { keyOf } from '../../lib/model/resource.ts';
import { count, duration, many } from '../format.ts';
import { shortcuts } from '../keys.ts';
import { Act, Button, Dialog, Foot, Glyph, Notes, Refusal, shown, Waiting } from '../parts/basics.tsx';
import { PauseDialog, ResumeDialog } from '../parts/pause.tsx';
import { useLine, useRun } from '../run.ts';
import { queues, useAsked } from '../state.ts';
import type { Change, Finding, PlanExtra, PlanJson, Schedule } from '../wire.ts';

const ACTION = {
  create: { sign: '+', word: 'create' },
  update: { sign: '~', word: 'change' },
  replace: { sign: '±', word: 'replace' },
  migrate: { sign: '±', word: 'move' },
  delete: { sign: '−', word: 'delete' },
} as const;
const ORIGIN: Readonly<Record<string, string>> = {
  spec: 'the spec changed',
  server: 'somebody changed the server',
  both: 'the spec and the server changed',
  unknown: '',
};

const valueText = (value: unknown): string =>
  value === null || value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);

function FindingLine({ finding }: { finding: Finding }) {
  const { unless, severity } = finding;
  const isSo = unless === undefined;
  const sign = isSo && severity === 'refuse' ? 'critical' : isSo && severity === 'warning' ? 'warn' : 'note';
  return (
    <li class={`finding-line ${isSo ? severity : 'info'}`}>
      <Glyph name={sign} />
      <span>
        {!isSo && `without --${unless}: `}
        {shown(finding.message)}
        {finding.hint !== undefined && <span class="muted"> {shown(finding.hint)}</span>}
      </span>
    </li>
  );
}

function ChangeView({ change, findings }: { change: Change; findings: readonly Finding[] }) {
  const about = findings.filter(({ resource }) => resource === keyOf(change));
  const { sign, word } = ACTION[change.action];
  return (
    <li class={`change ${change.action}`}>
      <h3>
        <span class="sign" aria-hidden="true">
          {sign}
        </span>
        {word} {change.kind} {shown(change.name)} <span class="muted">{ORIGIN[change.origin] ?? ''}</span>
      </h3>
      {change.reason !== undefined && <p>{shown(change.reason)}</p>}
      <table class="plain fields">
        <thead class="unseen">
          <tr>
            <th>field</th>
            <th>now</th>
            <th>then</th>
            <th>what it means</th>
          </tr>
        </thead>
        <tbody>
          {change.fields.map((field) => (
            <tr key={field.path}>
              <th scope="row">{shown(field.path)}</th>
              <td class="from">{shown(valueText(field.from))}</td>
              <td class="to">
                <span aria-hidden="true">→ </span>
                {shown(valueText(field.to))}
              </td>
              <td class="muted">
                {shown(field.note ?? '')}
                <ul class="at-field">
                  {about
                    .filter((finding) => finding.field === field.path)
                    .map((finding, index) => (
                      <FindingLine key={index} finding={finding} />
                    ))}
                </ul>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul>
        {about
          .filter(({ field }) => field === undefined || !change.fields.some(({ path }) => path === field))
          .map((finding, index) => (
            <FindingLine key={index} finding={finding} />
          ))}
      </ul>
      {change.retries !== undefined && <p class="muted">{shown(change.retries)}</p>}
    </li>
  );
}

/** When a request that fails is tried again, and when it is dead: drawn to scale, and in words. */
export function ScheduleView({ schedule }: { schedule: Schedule }) {
  const waits = schedule.waits_seconds.slice(0, 60);
  const whole = (schedule.gives_up_after_seconds ?? waits.reduce((sum, wait) => sum + wait, 0)) || 1;
  let at = 0;
  const tries = [0, ...waits.map((wait) => (at += wait))].slice(
    0,
    Math.max(1, schedule.tries > 0 ? schedule.tries : 60),
  );
  const x = (seconds: number) => `${((100 * seconds) / whole).toFixed(2)}%`;
  return (
    <figure class="schedule">
      <figcaption>
        {shown(schedule.consumer)} <span class="muted">{shown(schedule.text)}</span>
      </figcaption>
      <svg role="img" aria-label={`${schedule.consumer}: ${schedule.text}`}>
        <line x1="0" x2="100%" y1="12" y2="12" />
        {tries.map((seconds, index) => (
          <circle key={index} cx={x(seconds)} cy="12" r="4" />
        ))}
        {schedule.gives_up_after_seconds !== null && (
          <svg aria-hidden="true" class="end" x="100%" y="12">
            <path d="m-5-5 10 10m0-10-10 10" />
          </svg>
        )}
      </svg>
      <p class="ends muted">
        <span>{many(schedule.tries, 'try', 'tries')}, the first at once</span>
        <span>
          {schedule.gives_up_after_seconds === null
            ? 'never gives up'
            : `dead after ${duration(schedule.gives_up_after_seconds)}`}
        </span>
      </p>
    </figure>
  );
}

/** What a plan does, in figures: only what it does. */
function sumOf({ changes }: PlanJson): string {
  const actions = Object.keys(ACTION) as (keyof typeof ACTION)[];
  const sums = actions.map((action) => [changes.filter((change) => change.action === action).length, action] as const);
  const told = sums.filter(([n]) => n > 0).map(([n, action]) => `${count(n)} to ${ACTION[action].word}`);
  return told.length === 0 ? 'nothing to do' : told.join(', ');
}

function System({ plan, extra, onApply }: { plan: PlanJson; extra: PlanExtra | undefined; onApply: () => void }) {
  const { findings, changes } = plan;
  const unplaced = findings.filter(({ resource }) => !changes.some((change) => keyOf(change) === resource));
  const pending = changes.length;
  return (
    <section class="system">
      <header>
        <h2>
          <Glyph name={pending === 0 ? 'ok' : 'warn'} /> {shown(plan.system)}:{' '}
          {pending === 0 ? 'as declared' : `${many(pending, 'difference')}`}
        </h2>
        {pending > 0 && (
          <Act may="apply" kind="main" onPress={onApply}>
            Apply {count(pending)}…
          </Act>
        )}
      </header>
      <p class="muted">
        {sumOf(plan)}, {plan.summary.unchanged} as they should be
        {extra?.source && `, by ${shown(extra.source)}`}
      </p>
      <ul>
        {unplaced.map((finding, index) => (
          <FindingLine key={index} finding={finding} />
        ))}
      </ul>
      <ul class="changes">
        {changes.map((change) => (
          <ChangeView key={`${change.kind} ${change.name}`} change={change} findings={findings} />
        ))}
      </ul>
    </section>
  );
}

function ApplyDialog({ plan, extra, onClose }: { plan: PlanJson; extra: PlanExtra; onClose: () => void }) {
  // What would be so without the move is not so with it.
  const standing = plan.findings.filter(({ severity, unless }) => severity === 'refuse' && unless === undefined);
  const needs = [
    ...new Set([
      ...standing.flatMap(({ needs: flag }) => (flag === undefined ? [] : [flag])),
      ...(plan.summary.delete > 0 ? (['prune'] as const) : []),
    ]),
  ];
  const hopeless = standing.find(({ needs: flag }) => flag === undefined);
  const moved = plan.changes.filter(({ action }) => action === 'migrate').map(keyOf);
  const noticed = plan.findings.filter(
    ({ severity, resource, unless }) => severity !== 'refuse' && unless === undefined && moved.includes(resource),
  );
  const [allowed, setAllowed] = useState<ReadonlySet<string>>(new Set());
  const [typed, setTyped] = useState('');
  const { error, not, begin } = useRun();
  const destroys = needs.includes('allow-data-loss') || needs.includes('allow-replace') || needs.includes('prune');
  const lacking = needs.find((need) => !allowed.has(need));
  const deed = { verb: 'apply', digest: extra.digest, allow: [...allowed] };
  const line = useLine(deed);
  return (
    <Dialog title={`Apply to ${shown(plan.system)}?`} onClose={onClose} wide>
      <p class="consequence">
        Exactly what is shown: {sumOf(plan)}. Has the server changed meanwhile, nothing is done.
      </p>
      {moved.length > 0 && (
        <p>
          What is moved is copied first, and its messages, dead letters and workers' places go along. It can be stopped:
          the next plan then names the step, and goes on.
        </p>
      )}
      <ul>
        {noticed.map((finding, index) => (
          <FindingLine key={index} finding={finding} />
        ))}
      </ul>
      {needs.map((need) => (
        <label key={need} class="check">
          <input
            type="checkbox"
            checked={allowed.has(need)}
            onChange={({ currentTarget }) => {
              const next = new Set(allowed);
              if (currentTarget.checked) next.add(need);
              else next.delete(need);
              setAllowed(next);
            }}
          />
          <span>
            --{need}:{' '}
            {standing
              .filter(({ needs: flag }) => flag === need)
              .map(({ message }) => shown(message))
              .join(' ')}
          </span>
        </label>
      ))}
      {destroys && (
        <label class="field">
          <span>
            to go on, type <b>{shown(plan.system)}</b>
          </span>
          <input
            value={typed}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
      )}
      <Foot no="No, change nothing" onNo={onClose} error={error} line={line}>
        <Act
          may={moved.length > 0 ? 'move' : 'apply'}
          kind={destroys ? 'danger' : 'main'}
          not={
            hopeless !== undefined
              ? `it cannot be applied: ${shown(hopeless.message)}`
              : lacking !== undefined
                ? `it needs --${lacking}`
                : destroys && typed !== plan.system
                  ? `type ${shown(plan.system)} first`
                  : not
          }
          onPress={() => void begin(deed, true)}
        >
          Apply
        </Act>
      </Foot>
    </Dialog>
  );
}

export function PlanPage() {
  const [again, setAgain] = useState(0);
  const [applying, setApplying] = useState<string | undefined>(undefined);
  const [ask, setAsk] = useState<{ pause?: string; resume?: string }>({});
  const { body, error, since } = useAsked('/api/plan', { again });
  shortcuts.current = () => false;
  const extraOf = (system: string) => body?.plans.find((one) => one.system === system);
  const plan = body?.result.find(({ system }) => system === applying);
  const extra = applying === undefined ? undefined : extraOf(applying);
  return (
    <div class="page">
      <header class="page-head">
        <h1>Plan</h1>
        <Button kind="quiet" onPress={() => setAgain(again + 1)}>
          look again
        </Button>
      </header>
      <Notes notes={body?.notes} />
      {error && <Refusal error={error} />}
      {!body && !error && <Waiting since={since} what="the plan" />}
      {body?.result.length === 0 && (
        <section class="empty">
          <h2>No spec is known here</h2>
          <p>Nothing was applied to this server yet. Name a spec where the console is started, or apply one.</p>
        </section>
      )}
      {body?.result.map((one) => (
        <System key={one.system} plan={one} extra={extraOf(one.system)} onApply={() => setApplying(one.system)} />
      ))}
      {(queues.value?.queues.length ?? 0) > 0 && <h2>Delivery</h2>}
      <ul class="delivery">
        {(queues.value?.queues ?? []).map((queue) => (
          <li key={queue.name}>
            <h3>
              {shown(queue.name)}{' '}
              {queue.paused.length > 0 && (
                <span class="paused">
                  <Glyph name="paused" /> paused
                </span>
              )}
            </h3>
            {queue.paused.length > 0 ? (
              <Act may="pause" onPress={() => setAsk({ resume: queue.name })}>
                Resume…
              </Act>
            ) : (
              <Act may="pause" onPress={() => setAsk({ pause: queue.name })}>
                Pause…
              </Act>
            )}
            <div class="schedules">
              {queue.consumers.map(({ name, schedule }) => (
                <ScheduleView key={name} schedule={schedule} />
              ))}
            </div>
          </li>
        ))}
      </ul>
      {plan && extra && <ApplyDialog plan={plan} extra={extra} onClose={() => setApplying(undefined)} />}
      {ask.pause !== undefined && <PauseDialog queue={ask.pause} onClose={() => setAsk({})} />}
      {ask.resume !== undefined && <ResumeDialog queue={ask.resume} onClose={() => setAsk({})} />}
    </div>
  );
}
