/** A dashboard as TypeScript: whether it compiles beside the types of Grafana tells whether those know all of it. */
export const asTyped = (
  dashboard: string,
): string => `import type { Dashboard, DataQuery, Panel } from '@grafana/schema';
import type * as Stat from '@grafana/panels/stat';
import type * as StateTimeline from '@grafana/panels/statetimeline';
import type * as TimeSeries from '@grafana/panels/timeseries';

/** As JSON has it: the values of enums. */
type Plain<T> = T extends string
  ? \`\${T}\`
  : T extends number
    ? \`\${T}\` extends \`\${infer N extends number}\`
      ? N
      : T
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;
type Config = NonNullable<Panel['fieldConfig']>;
type Of<Kind, Options, Custom> = Omit<Plain<Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Kind;
  options: Plain<Partial<Options>>;
  fieldConfig: Plain<Omit<Config, 'defaults'>> & {
    defaults: Plain<Omit<Config['defaults'], 'custom'>> & { custom?: Plain<Partial<Custom>> };
  };
  // What the plugin of Prometheus adds to a query is told nowhere.
  targets: (Plain<DataQuery> & { expr: string; legendFormat: string })[];
};
type Panels =
  | Of<'stat', Stat.Options, {}>
  | Of<'state-timeline', StateTimeline.Options, StateTimeline.FieldConfig>
  | Of<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig>;

export const dashboard: Omit<Plain<Dashboard>, 'panels'> & { panels: Panels[] } = ${dashboard};
`;
