import { createHash } from 'node:crypto';
import type { CheckName } from '../facts/checks.ts';
import { checkMetric, METRICS } from '../facts/metrics.ts';
import type { HealthSpec, Spec } from '../model/spec.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The last schema version before Grafana 11; later ones read it and raise it themselves. */
const SCHEMA_VERSION = 39;
const SOURCE: Json = { type: 'prometheus', uid: '$datasource' };
/** Grafana's grid is 24 wide. */
const WIDE = 24;
const HEIGHT = 8;

const STATES: Json = [
  {
    type: 'value',
    options: {
      '0': { text: 'ok', color: 'green', index: 0 },
      '1': { text: 'warning', color: 'yellow', index: 1 },
      '2': { text: 'critical', color: 'red', index: 2 },
      '3': { text: 'unknown', color: 'text', index: 3 },
    },
  },
];

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'timeseries' | 'stat' | 'state-timeline' | 'table';
  readonly width: number;
  readonly unit: string;
  readonly targets: readonly { readonly expr: string; readonly legend: string }[];
  readonly steps?: Json;
  readonly mappings?: Json;
}

const CHOSEN = '{system=~"$system",queue=~"$queue"}';
const ABOUT = '{system=~"$system",resource=~"$queue"}';
const gaugeOf = (name: CheckName): string => checkMetric(name)!.name;
const byState = (state: string): string => METRICS.messages.name + CHOSEN.replace('}', `,state="${state}"}`);

/** Where a line turns yellow and red: the lowest limits of the queues, which is where somebody is told first. */
function stepsOf(spec: Spec | undefined, of: keyof HealthSpec, factor: number): Json | undefined {
  const healths = Object.values(spec?.queues ?? {}).map(({ health }) => health[of]);
  const lowest = (which: 'warn' | 'critical') => {
    const limits = healths.flatMap((threshold) => threshold[which] ?? []);
    return limits.length > 0 ? Number((Math.min(...limits) * factor).toPrecision(12)) : undefined;
  };
  const [warn, critical] = [lowest('warn'), lowest('critical')];
  if (warn === undefined && critical === undefined) return undefined;
  return [
    { color: 'green', value: null },
    ...(warn === undefined ? [] : [{ color: 'yellow', value: warn }]),
    ...(critical === undefined ? [] : [{ color: 'red', value: critical }]),
  ];
}

function panelsOf(spec: Spec | undefined): Panel[] {
  const only = 'system=~"$system"';
  return [
    {
      title: 'Health',
      description: METRICS.health.help,
      kind: 'stat',
      width: 6,
      unit: 'none',
      targets: [{ expr: `${METRICS.health.name}{${only}}`, legend: '{{system}}' }],
      mappings: STATES,
    },
    {
      title: 'Dead, a person is needed',
      description: 'Messages that no worker will get again, and those that a worker rejected.',
      kind: 'stat',
      width: 6,
      unit: 'short',
      targets: [
        {
          expr: `sum by (queue) (${METRICS.messages.name}${CHOSEN.replace('}', ',state=~"dead|rejected"}')})`,
          legend: '{{queue}}',
        },
      ],
      steps: stepsOf(spec, 'dead', 1),
    },
    {
      title: 'The oldest waits for',
      description: METRICS.oldest.help,
      kind: 'stat',
      width: 6,
      unit: 's',
      targets: [{ expr: `${METRICS.oldest.name}${CHOSEN}`, legend: '{{queue}}' }],
      steps: stepsOf(spec, 'oldest', 1e-9),
    },
    {
      title: 'Changes pending',
      description: METRICS.drift.help,
      kind: 'stat',
      width: 6,
      unit: 'none',
      targets: [{ expr: `${METRICS.drift.name}{${only}}`, legend: '{{system}}' }],
      steps: [
        { color: 'green', value: null },
        { color: 'yellow', value: 1 },
      ],
    },
    {
      title: 'What the queue holds',
      description: METRICS.messages.help,
      kind: 'timeseries',
      width: 12,
      unit: 'short',
      targets: ['ready', 'in_flight', 'dead'].map((state) => ({ expr: byState(state), legend: `{{queue}} ${state}` })),
    },
    {
      title: 'Dead and rejected',
      description: 'A step up is an incident; a step down a replay or a purge.',
      kind: 'timeseries',
      width: 12,
      unit: 'short',
      targets: ['dead', 'rejected'].map((state) => ({ expr: byState(state), legend: `{{queue}} ${state}` })),
      steps: stepsOf(spec, 'dead', 1),
    },
    {
      title: 'Waiting',
      description: 'Messages that wait undelivered.',
      kind: 'timeseries',
      width: 12,
      unit: 'short',
      targets: [{ expr: `${gaugeOf('backlog')}${ABOUT}`, legend: '{{resource}}' }],
      steps: stepsOf(spec, 'backlog', 1),
    },
    {
      title: 'Room in the queue, in use',
      description: 'Messages and bytes against max_msgs and max_bytes. A full queue refuses publishers.',
      kind: 'timeseries',
      width: 12,
      unit: 'percentunit',
      targets: [{ expr: `${gaugeOf('usage')}${ABOUT}`, legend: '{{resource}}' }],
      steps: stepsOf(spec, 'usage', 1 / 100),
    },
    {
      title: 'Where it is going',
      description:
        'Until nothing waits, until the queue is full, and since nothing moved; silent where nobody can know.',
      kind: 'timeseries',
      width: 24,
      unit: 's',
      targets: [
        { expr: `${METRICS.clears.name}${CHOSEN}`, legend: '{{queue}} clears in' },
        { expr: `${METRICS.full.name}${CHOSEN}`, legend: '{{queue}} full in' },
        { expr: `${METRICS.stalled.name}${CHOSEN}`, legend: '{{queue}} stalled for' },
      ],
    },
    {
      title: 'Checks',
      description: METRICS.check.help,
      kind: 'state-timeline',
      width: 24,
      unit: 'none',
      targets: [
        { expr: `max by (check, resource) (${METRICS.check.name}{${only}}) > 0`, legend: '{{check}} {{resource}}' },
      ],
      mappings: STATES,
    },
    {
      title: 'Responses kept',
      description: METRICS.responses.help,
      kind: 'timeseries',
      width: 12,
      unit: 'short',
      targets: [{ expr: `${METRICS.responses.name}${CHOSEN}`, legend: '{{queue}}' }],
    },
    {
      title: 'Room in the DLQ, in use',
      description: 'Beyond its limits entries are dropped, or never stored.',
      kind: 'timeseries',
      width: 12,
      unit: 'percentunit',
      targets: [{ expr: `${gaugeOf('dlq')}{${only}}`, legend: '{{resource}}' }],
      steps: stepsOf(spec, 'usage', 1 / 100),
    },
  ];
}

/** Panels from left to right, a new row where one does not fit. */
function placed(panels: readonly Panel[]): Json[] {
  let [x, y] = [0, 0];
  return panels.map((panel, index): Json => {
    const height = panel.kind === 'stat' ? HEIGHT / 2 : HEIGHT;
    if (x + panel.width > WIDE) [x, y] = [0, y + (panels[index - 1]!.kind === 'stat' ? HEIGHT / 2 : HEIGHT)];
    const gridPos = { x, y, w: panel.width, h: height };
    x += panel.width;
    const refs = panel.targets.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      expr,
      legendFormat: legend,
      datasource: SOURCE,
    }));
    const steps = panel.steps ?? [{ color: panel.mappings ? 'text' : 'blue', value: null }];
    return {
      id: index + 1,
      type: panel.kind,
      title: panel.title,
      description: panel.description,
      datasource: SOURCE,
      gridPos,
      targets: refs,
      fieldConfig: {
        defaults: {
          unit: panel.unit,
          mappings: panel.mappings ?? [],
          thresholds: { mode: 'absolute', steps },
          ...(panel.kind === 'timeseries' && panel.steps ? { custom: { thresholdsStyle: { mode: 'dashed' } } } : {}),
        },
        overrides: [],
      },
      options: panel.kind === 'stat' ? { colorMode: 'value', textMode: 'auto' } : {},
    };
  });
}

const variable = (name: string, label: string, of: string): Json => ({
  type: 'query',
  name,
  label,
  datasource: SOURCE,
  query: { query: of, refId: name },
  refresh: 2,
  includeAll: true,
  allValue: '.*',
  multi: true,
  current: { text: 'All', value: '$__all' },
});

/** Grafana's limit. */
const MOST_OF_UID = 40;
const DIGEST = 8;

/** A dashboard's own id, which importing it again replaces: two long names that begin alike get two. */
function uidOf(name: string): string {
  const uid = `osapi-ops-${name}`;
  if (uid.length <= MOST_OF_UID) return uid;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST);
  return `${uid.slice(0, MOST_OF_UID - DIGEST - 1)}-${digest}`;
}

/** A Grafana dashboard of the metrics of `status`, its limits those of the spec where there is one. */
export function grafanaDashboard(spec: Spec | undefined): Json {
  const name = spec ? spec.name : 'all systems';
  return {
    title: `JetStream work queues: ${name}`,
    uid: uidOf(spec ? spec.name : 'all'),
    tags: ['nats', 'jetstream', 'osapi-ops'],
    description: 'Made by `osapi-ops monitoring grafana` from the metrics of `osapi-ops status --output prometheus`.',
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus' },
        variable('system', 'System', `label_values(${METRICS.health.name}, system)`),
        variable('queue', 'Queue', `label_values(${METRICS.messages.name}{system=~"$system"}, queue)`),
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: placed(panelsOf(spec)),
  };
}
