import { describe, expect, test } from '@jest/globals';
import { CHECK_PAGES, checkCode } from '../../../src/lib/facts/check-pages.ts';
import { CHECKS, type CheckName } from '../../../src/lib/facts/checks.ts';
import { checkMetric, METRICS } from '../../../src/lib/facts/metrics.ts';
import type { HealthSpec, Spec } from '../../../src/lib/model/spec.ts';
import { alertRules } from '../../../src/lib/monitoring/alerts.ts';
import { grafanaDashboard } from '../../../src/lib/monitoring/dashboard.ts';

const HEALTH: HealthSpec = {
  dead: { warn: 1, critical: 100 },
  backlog: { warn: 1000, critical: null },
  oldest: { warn: 300e9, critical: 3600e9 },
  usage: { warn: 70, critical: 90 },
};
const specOf = (...healths: HealthSpec[]): Spec =>
  ({
    version: 1,
    name: 'osapi',
    connection: {},
    queues: Object.fromEntries(healths.map((health, index) => [`Q${index}`, { config: {}, consumers: {}, health }])),
    streams: {},
    buckets: {},
  }) as unknown as Spec;

const rulesOf = (spec?: Spec) => alertRules(spec, 'docs/checks.md').groups[0]!.rules;
/** Where the gauge is silent, as nobody knows how many are dead, what status says of the check. */
const silent = (status: number) =>
  ` or osapi_ops_check_status{system="osapi",resource="Q0",check="dead"} == ${status}` +
  ' unless on (system, resource) osapi_ops_dead_messages{system="osapi",resource="Q0"}';
const KNOWN = new Set([
  ...Object.values(METRICS).map(({ name }) => name as string),
  ...(Object.keys(CHECKS) as CheckName[]).flatMap((name) => checkMetric(name)?.name ?? []),
]);
const metricsIn = (expr: string): string[] => [...expr.matchAll(/osapi_ops_\w+/g)].map(([name]) => name);

describe('alert rules', () => {
  test.each([
    ['OsapiOpsDeadWarning', `osapi_ops_dead_messages{system="osapi",resource="Q0"} >= 1 < 100${silent(1)}`],
    ['OsapiOpsDeadCritical', `osapi_ops_dead_messages{system="osapi",resource="Q0"} >= 100${silent(2)}`],
    ['OsapiOpsBacklogWarning', 'osapi_ops_backlog_messages{system="osapi",resource="Q0"} >= 1000'],
    ['OsapiOpsOldestWarning', 'osapi_ops_oldest_seconds{system="osapi",resource="Q0"} >= 300 < 3600'],
    ['OsapiOpsUsageCritical', 'osapi_ops_usage_ratio{system="osapi",resource="Q0"} >= 0.9'],
    ['OsapiOpsOrphansCritical', 'osapi_ops_check_status{system="osapi",check="orphans"} == 2'],
    ['OsapiOpsNotMeasured', 'absent(osapi_ops_health_status{system="osapi"})'],
    ['OsapiOpsUnknown', 'osapi_ops_check_status{system="osapi"} == 3'],
    ['OsapiOpsUnreachable', 'osapi_ops_up == 0'],
  ])('%s goes by the spec’s limits', (alert, expr) => {
    expect(rulesOf(specOf(HEALTH)).filter((rule) => rule.alert === alert)).toMatchObject([{ expr }]);
  });

  test('a limit that is off makes no rule', () => {
    expect(rulesOf(specOf(HEALTH)).some(({ alert }) => alert === 'OsapiOpsBacklogCritical')).toBe(false);
  });

  test('without a spec they are for every system, by what status says of each check', () => {
    const exprs = rulesOf().map(({ expr }) => expr);
    expect(exprs).toContain('osapi_ops_check_status{check="dead"} == 2');
    expect(exprs.some((expr) => expr.includes('system='))).toBe(false);
    expect(exprs).toHaveLength(3 + 2 * Object.keys(CHECKS).length);
  });

  test('each asks for a metric that there is, and names its page and what to type', () => {
    for (const { expr, labels, annotations } of [...rulesOf(), ...rulesOf(specOf(HEALTH, HEALTH))]) {
      expect(metricsIn(expr).length).toBeGreaterThan(0);
      expect(metricsIn(expr).filter((name) => !KNOWN.has(name))).toEqual([]);
      expect(annotations.next).toMatch(/^(osapi-ops|nats) /);
      expect(annotations.next).not.toMatch(/\b(QUEUE|CONSUMER|Q|W)\b/);
      if (labels.code) expect(annotations.runbook_url).toBe(`docs/checks.md#${labels.code.toLowerCase()}`);
    }
  });

  test('nobody is led to a page of which nobody says where it is', () => {
    const all = [...alertRules(undefined).groups, ...alertRules(specOf(HEALTH)).groups].flatMap(({ rules }) => rules);
    expect(all.filter(({ annotations }) => 'runbook_url' in annotations)).toEqual([]);
  });

  test.each([
    ['OsapiOpsDeadWarning', 'dead', '({{ if $labels.check }}nobody knows how many{{ else }}{{ $value }}{{ end }})'],
    ['OsapiOpsBacklogWarning', 'backlog', '({{ $value }})'],
    ['OsapiOpsOldestCritical', 'oldest', '({{ $value | humanizeDuration }})'],
    ['OsapiOpsUsageWarning', 'usage', '({{ $value | humanizePercentage }} used)'],
  ] as const)('%s has the figure, and the name of its queue as a shell takes it', (alert, name, figure) => {
    const spec = specOf(HEALTH);
    const odd = { ...spec, queues: { a$b: spec.queues.Q0! } };
    const { annotations } = rulesOf(odd).find((rule) => rule.alert === alert)!;
    expect(annotations.summary).toBe(`{{ $labels.system }} {{ $labels.resource }}: ${CHECKS[name].title} ${figure}`);
    expect(annotations.next).toContain("--queue 'a$b'");
  });

  test.each([
    ['OsapiOpsReplicasWarning', `nats stream cluster info '{{ $labels.resource | reReplaceAll "'" "" }}'`],
    [
      'OsapiOpsInFlightCritical',
      `nats consumer info '{{ $labels.resource | reReplaceAll "/[^/]*$" "" | reReplaceAll "'" "" }}' '{{ $labels.resource | reReplaceAll ".*/" "" | reReplaceAll "'" "" }}'`,
    ],
  ])('%s takes the names from what it is about', (alert, line) => {
    expect(rulesOf().find((rule) => rule.alert === alert)!.annotations.next).toContain(line);
  });

  test('a name that would end a selector is quoted', () => {
    const spec = { ...specOf(HEALTH), name: 'a"} or up{x="' };
    expect(rulesOf(spec)[1]!.expr).toBe('absent(osapi_ops_health_status{system="a\\"} or up{x=\\""})');
  });
});

describe('the dashboard', () => {
  const panels = (spec?: Spec) =>
    (grafanaDashboard(spec) as { panels: Record<string, never>[] }).panels as unknown as {
      id: number;
      title: string;
      gridPos: { x: number; y: number; w: number; h: number };
      targets: { expr: string }[];
      fieldConfig: { defaults: { thresholds: { steps: { value: number | null }[] } } };
    }[];

  test('asks for metrics that there are', () => {
    const exprs = panels().flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(exprs.flatMap(metricsIn).filter((name) => !KNOWN.has(name))).toEqual([]);
  });

  test.each([
    ['a name that fits', 'a'.repeat(30), `osapi-ops-${'a'.repeat(30)}`],
    ['one a character longer', 'a'.repeat(31), `osapi-ops-${'a'.repeat(21)}-61c60b48`],
    ['its neighbour', `${'a'.repeat(30)}b`, `osapi-ops-${'a'.repeat(21)}-3e019c13`],
  ])('has an id of its own: %s', (_what, name, uid) => {
    expect((grafanaDashboard({ ...specOf(HEALTH), name }) as { uid: string }).uid).toBe(uid);
  });

  test('panels lie side by side, inside the grid, none over another', () => {
    const cells = new Set<string>();
    for (const { gridPos } of panels(specOf(HEALTH))) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`)).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
    }
  });

  test('its lines turn at the lowest limits of the queues', () => {
    const other = { ...HEALTH, dead: { warn: 5, critical: 10 }, backlog: { warn: null, critical: null } };
    const steps = (title: string) =>
      panels(specOf(HEALTH, other))
        .find((panel) => panel.title === title)!
        .fieldConfig.defaults.thresholds.steps.map(({ value }) => value);
    expect(steps('Dead, a person is needed')).toEqual([null, 1, 10]);
    expect(steps('Waiting')).toEqual([null, 1000]);
    expect(steps('Room in the queue, in use')).toEqual([null, 0.7, 0.9]);
    expect(steps('The oldest waits for')).toEqual([null, 300, 3600]);
  });
});

describe('a check', () => {
  test('has a code, a page and a patience', () => {
    expect(checkCode('in_flight')).toBe('CHECK_IN_FLIGHT');
    expect(Object.keys(CHECK_PAGES)).toEqual(Object.keys(CHECKS));
    for (const { patience, type } of Object.values(CHECK_PAGES)) {
      expect(patience).toMatch(/^\d+[mh]$/);
      expect(type.length).toBeGreaterThan(0);
    }
  });
});
