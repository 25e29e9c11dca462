import { CHECK_PAGES, checkCode, withNames } from '../facts/check-pages.ts';
import { CHECKS, type CheckName } from '../facts/checks.ts';
import { checkMetric, METRICS } from '../facts/metrics.ts';
import { shellWord } from '../model/shell.ts';
import type { HealthSpec, Spec } from '../model/spec.ts';

/** One alert rule, as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AlertFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

export type Severity = 'warning' | 'critical';

/** How `osapi_ops_check_status` counts them. */
const CODE: Readonly<Record<Severity | 'unknown', number>> = { warning: 1, critical: 2, unknown: 3 };

interface Limited {
  readonly of: keyof HealthSpec;
  /** What makes a limit of it a limit of the gauge. */
  readonly factor: number;
  /** The figure for people, as Prometheus fills it in. */
  readonly figure: string;
  /** Where the figure cannot be known, the gauge is silent, and `status` judges by what is certain. */
  readonly mayBeUnknown?: true;
}

/** Checks whose limits the spec sets. */
const SPEC_LIMITS = {
  // What status says of it has the name of the check, and no figure.
  dead: {
    of: 'dead',
    factor: 1,
    figure: '{{ if $labels.check }}nobody knows how many{{ else }}{{ $value }}{{ end }}',
    mayBeUnknown: true,
  },
  backlog: { of: 'backlog', factor: 1, figure: '{{ $value }}' },
  // Nanoseconds.
  oldest: { of: 'oldest', factor: 1e-9, figure: '{{ $value | humanizeDuration }}' },
  usage: { of: 'usage', factor: 1 / 100, figure: '{{ $value | humanizePercentage }} used' },
} as const satisfies Partial<Record<CheckName, Limited>>;

const quoted = (text: string): string => JSON.stringify(text);
const selector = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(',')}}`;

const pascal = (name: string): string => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
/** A limit to the digits that matter: 0.7, not 0.7000000000000001. */
const limit = (value: number): string => String(Number(value.toPrecision(12)));

/** Of these the resource is a queue and, behind a slash, what is in it. */
const OF_A_PART: ReadonlySet<CheckName> = new Set(['in_flight', 'pulling', 'paused', 'copies']);

/** A name out of a label as one word of a shell, whatever it has in it; `cut` goes from it. */
const fromLabel = (cut = ''): string =>
  `'{{ $labels.resource${cut && ` | reReplaceAll "${cut}" ""`} | reReplaceAll "'" "" }}'`;

interface Told {
  readonly name: CheckName;
  readonly severity: Severity;
  readonly expr: string;
  /** Where the rule is about one queue: its name, and the figure that its gauge has. */
  readonly about?: { readonly queue: string; readonly figure: string };
  /** The page of the checks. */
  readonly docs: string | undefined;
}

function rule({ name, severity, expr, about, docs }: Told): AlertRule {
  const { title, doc } = CHECKS[name];
  const { look, type, patience } = CHECK_PAGES[name];
  const queue = about ? shellWord(about.queue) : fromLabel(OF_A_PART.has(name) ? '/[^/]*$' : '');
  return {
    alert: `OsapiOps${pascal(name)}${severity === 'critical' ? 'Critical' : 'Warning'}`,
    expr,
    for: patience,
    labels: { severity, code: checkCode(name) },
    annotations: {
      summary: `{{ $labels.system }} {{ $labels.resource }}: ${title}${about ? ` (${about.figure})` : ''}`,
      description: `${doc} ${look}`,
      next: type.map((line) => withNames(line, queue, fromLabel('.*/'))).join('; '),
      ...(docs !== undefined && { runbook_url: `${docs}#${checkCode(name).toLowerCase()}` }),
    },
  };
}

/** Rules on a figure against the limits that a queue's spec sets. Both limits off: none. */
function limitRules(system: string, queue: string, health: HealthSpec, docs: string | undefined): AlertRule[] {
  return (Object.keys(SPEC_LIMITS) as (keyof typeof SPEC_LIMITS)[]).flatMap((name) => {
    const { of, factor, figure, mayBeUnknown }: Limited = SPEC_LIMITS[name];
    const about = { system, resource: queue };
    const gauge = `${checkMetric(name)!.name}${selector(about)}`;
    const judged = `${METRICS.check.name}${selector({ ...about, check: name })}`;
    const { warn, critical } = health[of];
    const above = critical === null ? '' : ` < ${limit(critical * factor)}`;
    const own = (severity: Severity, expr: string) => {
      const silent = ` or ${judged} == ${CODE[severity]} unless on (system, resource) ${gauge}`;
      return rule({ name, severity, expr: `${expr}${mayBeUnknown ? silent : ''}`, about: { queue, figure }, docs });
    };
    return [
      ...(warn === null ? [] : [own('warning', `${gauge} >= ${limit(warn * factor)}${above}`)]),
      ...(critical === null ? [] : [own('critical', `${gauge} >= ${limit(critical * factor)}`)]),
    ];
  });
}

/** Rules on what `status` itself says of a check. */
function statusRules(
  names: readonly CheckName[],
  labels: Readonly<Record<string, string>>,
  docs: string | undefined,
): AlertRule[] {
  return names.flatMap((name) =>
    (['warning', 'critical'] as const).map((severity) =>
      rule({
        name,
        severity,
        expr: `${METRICS.check.name}${selector({ ...labels, check: name })} == ${CODE[severity]}`,
        docs,
      }),
    ),
  );
}

/** That nobody looks, or that looking finds nothing out, is a finding too. */
function watchRules(labels: Readonly<Record<string, string>>, docs: string | undefined): AlertRule[] {
  const where = Object.keys(labels).length > 0 ? selector(labels) : '';
  const own = (alert: string, severity: Severity, expr: string, wait: string, summary: string, next: string) => ({
    alert,
    expr,
    for: wait,
    labels: { severity },
    annotations: { summary, next, ...(docs !== undefined && { runbook_url: docs }) },
  });
  return [
    own(
      'OsapiOpsUnreachable',
      'critical',
      `${METRICS.up.name} == 0`,
      '2m',
      'The NATS server was not reached: nothing is known of its queues',
      'osapi-ops doctor',
    ),
    own(
      'OsapiOpsNotMeasured',
      'warning',
      `absent(${METRICS.health.name}${where})`,
      '15m',
      'Nobody measures: status --listen, or the job that runs status, is gone',
      'osapi-ops status --listen :9464',
    ),
    own(
      'OsapiOpsUnknown',
      'warning',
      `${METRICS.check.name}${where} == ${CODE.unknown}`,
      '15m',
      '{{ $labels.system }} {{ $labels.resource }}: {{ $labels.check }} cannot be judged',
      'osapi-ops status',
    ),
  ];
}

/**
 * Alert rules for the metrics of `status`: of one system with its own limits, or of whatever system there is with the
 * limits that `status` goes by. `docs` is where docs/checks.md is found; without it no rule leads there.
 */
export function alertRules(spec: Spec | undefined, docs?: string): AlertFile {
  const labels: Readonly<Record<string, string>> = spec ? { system: spec.name } : {};
  const names = Object.keys(CHECKS) as CheckName[];
  const own = spec
    ? Object.entries(spec.queues).flatMap(([queue, { health }]) => limitRules(spec.name, queue, health, docs))
    : [];
  // A stream that is full is told by the same gauge for the DLQ, which has a check of its own.
  const others = spec ? names.filter((name) => !(name in SPEC_LIMITS)) : names;
  return {
    groups: [
      {
        name: spec ? `osapi-ops ${spec.name}` : 'osapi-ops',
        rules: [...watchRules(labels, docs), ...own, ...statusRules(others, labels, docs)],
      },
    ],
  };
}
