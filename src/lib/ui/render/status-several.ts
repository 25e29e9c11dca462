import { type FailOn, type Health, type StatusReport, worse } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { flow, padEnd, widthOf } from '../text.ts';
import { figuresLine, nameOfSystem, renderStatus, type StatusView, statusJson, VERDICTS } from './status.ts';
import { renderGithub } from './status-github.ts';
import { renderJunit } from './status-junit.ts';
import { renderStatusMarkdown } from './status-markdown.ts';
import { NAGIOS_EXIT, renderNagios } from './status-nagios.ts';
import { renderPrometheus } from './status-prometheus.ts';

/** One of several systems, as it is drawn. */
export interface DrawnSystem {
  readonly report: StatusReport;
  /** Why its server could not be asked. */
  readonly error?: { readonly code: string; readonly message: string };
}

export const worstOf = (systems: readonly DrawnSystem[]): Health =>
  systems.reduce<Health>((worst, { report }) => worse(worst, report.health), 'ok');

const serverOf = ({ target }: StatusReport): string => clean(target?.url ?? 'not reached');

/** The keys of one system, with those of each in `systems`: whoever reads the verdict of one reads that of all. */
export const severalJson = (systems: readonly DrawnSystem[]) => ({
  system: null,
  health: worstOf(systems),
  checks: [],
  queues: [],
  drift: [],
  systems: systems.map(({ report, error }) => ({
    ...statusJson(report),
    server: report.target?.url ?? null,
    ...(error && { error: { code: error.code, message: error.message } }),
  })),
});

/** A row for each system, and below it all that is wrong with those that are not well. */
export function renderSeveral(systems: readonly DrawnSystem[], view: StatusView): string {
  const { theme, width } = view;
  const style = { ok: theme.good, warn: theme.warn, critical: theme.refuse, unknown: theme.faint };
  const names = Math.max(...systems.map(({ report }) => widthOf(nameOfSystem(report))));
  const verdicts = Math.max(...systems.map(({ report }) => VERDICTS[report.health].length));
  const indent = names + verdicts + 4;
  // Beside long names there is no room for figures: they stand below.
  const isBeside = indent <= width / 2;
  const lines = systems.map(({ report, error }) => {
    const name = theme.strong(padEnd(nameOfSystem(report), isBeside ? names : 0));
    const first = `${name}  ${style[report.health](padEnd(VERDICTS[report.health], isBeside ? verdicts : 0))}`;
    const parts = error
      ? [clean(error.message)]
      : report.queues.map((queue) => `${clean(queue.name)}: ${figuresLine(queue)}`);
    const text = `${parts.join('; ')} ${theme.faint(`(${serverOf(report)})`)}`;
    return isBeside ? flow(text, { width, first: `${first}  ` }) : `${first}\n${flow(text, { width, first: '  ' })}`;
  });
  const bad = systems.filter(({ report, error }) => report.health !== 'ok' && !error);
  return `${[lines.join('\n'), ...bad.map(({ report }) => renderStatus(report, view).trimEnd())].join('\n\n')}\n`;
}

/** One file with a suite for each system. */
export function renderSeveralJunit(systems: readonly DrawnSystem[], failOn: FailOn): string {
  const [, head = '', , tail = ''] = split(renderJunit(systems[0]!.report, failOn));
  const suites = systems.map(({ report }, index) => {
    const suite = split(renderJunit(report, failOn))[2]!.replace(/ id="0"/, ` id="${index}"`);
    return suite.replace(/ package="osapi-ops"/, ` package="osapi-ops.${index}"`);
  });
  return head + suites.join('') + tail;
}

const split = (text: string): readonly string[] =>
  /^(.*<testsuites>\n)(.*<\/testsuite>\n)(<\/testsuites>\n)$/s.exec(text) as unknown as readonly string[];

/** The metrics of all, each with the server it is of: no name is declared twice. */
export function renderSeveralPrometheus(systems: readonly DrawnSystem[]): string {
  const blocks = new Map<string, string[]>();
  for (const { report } of systems) {
    const server = `server="${serverOf(report).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    const labels = report.target ? server : `${server},system="${nameOfSystem(report)}"`;
    let lines: string[] = [];
    for (const line of renderPrometheus(report).trimEnd().split('\n')) {
      if (line.startsWith('# HELP')) {
        lines = blocks.get(line) ?? [];
        blocks.set(line, lines);
      } else if (line.startsWith('#')) lines[0] ??= line;
      else lines.push(withLabels(line, line.includes('system="') ? server : labels));
    }
  }
  return [...blocks].map(([help, lines]) => `${[help, ...lines].join('\n')}\n`).join('');
}

/** A sample with one label more. */
const withLabels = (line: string, labels: string): string =>
  line.replace(
    /^(\w+)(?:\{(.*)\})? /,
    (_, name: string, rest?: string) => `${name}{${labels}${rest ? `,${rest}` : ''}} `,
  );

export const renderSeveralGithub = (systems: readonly DrawnSystem[]): string =>
  systems.map(({ report }) => renderGithub(report)).join('');

export const renderSeveralMarkdown = (systems: readonly DrawnSystem[]): string =>
  systems.map(({ report }) => renderStatusMarkdown(report)).join('\n');

/** One line, as a plugin has one: the verdict of each, then the figures of all. */
export function renderSeveralNagios(systems: readonly DrawnSystem[]): string {
  const parts = systems.map(({ report }) => {
    const [text = '', data = ''] = renderNagios(report).trimEnd().split(' | ');
    const name = nameOfSystem(report).replaceAll("'", '').replaceAll('=', '-');
    return { text, data: data.replaceAll(/(^| )'/g, `$1'${name} `) };
  });
  const data = parts.map((part) => part.data).filter(Boolean);
  return `${parts.map(({ text }) => text).join('; ')}${data.length > 0 ? ` | ${data.join(' ')}` : ''}\n`;
}

export const nagiosExitOf = (systems: readonly DrawnSystem[]): number => NAGIOS_EXIT[worstOf(systems)];
