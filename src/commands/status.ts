import { Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { OpsError } from '../lib/errors/ops-error.ts';
import { leadTo } from '../lib/model/call.ts';
import { printJson } from '../lib/model/json.ts';
import { type FailOn, fails, isNothing, type StatusReport } from '../lib/model/verdict.ts';
import { appendJobSummary } from '../lib/operations/status/job-summary.ts';
import { listenStatus } from '../lib/operations/status/listen.ts';
import { type SystemStatus, type SystemsChoice, statusOfSystems } from '../lib/operations/status/several.ts';
import { parseGoals, waitForStatus } from '../lib/operations/status/wait.ts';
import { watchStatus } from '../lib/operations/status/watch.ts';
import { isServerAway, unreached } from '../lib/operations/status.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderStatus, type StatusView, statusJson } from '../lib/ui/render/status.ts';
import { renderGithub } from '../lib/ui/render/status-github.ts';
import { renderStatusHtml } from '../lib/ui/render/status-html.ts';
import { renderJunit } from '../lib/ui/render/status-junit.ts';
import { renderStatusMarkdown } from '../lib/ui/render/status-markdown.ts';
import { NAGIOS_EXIT, renderNagios } from '../lib/ui/render/status-nagios.ts';
import { renderPrometheus } from '../lib/ui/render/status-prometheus.ts';
import {
  nagiosExitOf,
  renderSeveral,
  renderSeveralGithub,
  renderSeveralJunit,
  renderSeveralMarkdown,
  renderSeveralNagios,
  renderSeveralPrometheus,
  severalJson,
} from '../lib/ui/render/status-several.ts';
import { renderWatch, watchLine } from '../lib/ui/render/status-watch.ts';
import { durationMs, fileFlag, namesOf, specArgs } from '../lib/ui/spec-flags.ts';
import { overScreen } from '../lib/ui/text.ts';

const OUTPUTS = ['text', 'json', 'junit', 'prometheus', 'github', 'markdown', 'nagios', 'html'] as const;
type OutputFormat = (typeof OUTPUTS)[number];
/** A graph has room for so many. */
const KEPT = 120;

/** Several systems for whoever reads them; text is drawn by the command. */
function drawSeveral(format: Exclude<OutputFormat, 'text'>, systems: readonly SystemStatus[], failOn: FailOn): string {
  switch (format) {
    case 'json':
      return `${printJson(severalJson(systems), 2)}\n`;
    case 'junit':
      return renderSeveralJunit(systems, failOn);
    case 'prometheus':
      return renderSeveralPrometheus(systems);
    case 'github':
      return renderSeveralGithub(systems);
    case 'markdown':
      return renderSeveralMarkdown(systems);
    case 'nagios':
      return renderSeveralNagios(systems);
    case 'html':
      return renderStatusHtml(systems.map(({ report }) => report));
  }
}

export default class Status extends BaseCommand<typeof Status> {
  static override summary = 'judge whether a system is as declared and healthy';
  static override description =
    `Looks at the server, the spec and every queue: what waits, what is in flight, what is dead, and whether it can go
on. Tells each trouble with the command to type next. Touches nothing. Exit 2 where something warns, or has drifted.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --output junit > status.xml',
    '<%= config.bin %> <%= command.id %> --wait 2m --for synced,drained',
    '<%= config.bin %> <%= command.id %> --all',
  ];
  static override args = specArgs(
    'the spec; left out: -f, ./osapi-ops.yaml, what was last applied, else what is there',
  );
  static override flags = withEnv({
    ...fileFlag,
    output: Flags.string({ char: 'o', summary: 'who reads it', options: [...OUTPUTS], helpGroup: 'OUTPUT' }),
    'fail-on': Flags.string({ summary: 'exit 2 from here on', options: ['warning', 'critical'], default: 'warning' }),
    wait: Flags.string({ summary: 'look until all of --for hold, at most so long, as 2m' }),
    for: Flags.string({ summary: 'what to wait for: synced, healthy, drained, dlq-empty', default: 'synced,healthy' }),
    all: Flags.boolean({
      summary: 'every system that was applied to the server',
      exclusive: ['file'],
    }),
    watch: Flags.boolean({ summary: 'look again and again, until Ctrl-C', exclusive: ['wait', 'listen'] }),
    interval: Flags.string({ summary: 'how often --watch looks', default: '2s' }),
    listen: Flags.string({ summary: 'serve the metrics for Prometheus at HOST:PORT', exclusive: ['wait'] }),
  });

  protected override get isPatient(): boolean {
    return this.flags.watch || this.flags.listen !== undefined;
  }

  protected async execute(): Promise<number | undefined> {
    const { watch, listen, wait, all, file } = this.flags;
    const choice = { specs: namesOf(this.args.spec), file, all };
    // Left in the environment it is for the calls that wait; typed, it was meant for this one.
    if (wait === undefined && !this.isLeftOut('for') && this.context.env.OSAPI_OPS_FOR === undefined) {
      throw new OpsError('USAGE', `--for ${this.flags.for} needs a --wait: without one nothing waits for it`, {
        where: '--for',
        hints: [`say how long: --wait 2m --for ${this.flags.for}`],
      });
    }
    if (listen !== undefined) {
      await listenStatus(this.context, { ...choice, address: listen, render: (systems) => this.metricsOf(systems) });
      return EXIT.done;
    }
    if (watch) return this.watch(choice);
    try {
      if (wait === undefined) return await this.tellAll(await statusOfSystems(this.context, choice));
      const goals = parseGoals(this.flags.for);
      const waited = await waitForStatus(this.context, { ...choice, goals, waitMs: durationMs('--wait', wait) });
      await this.tellAll(waited.systems);
      for (const { goal, why } of waited.open) {
        this.context.io.tell({ type: 'warning', text: `not ${goal} within ${wait}: ${why}` });
      }
      const isReached = waited.open.length === 0;
      if (this.format === 'nagios') return isReached ? NAGIOS_EXIT.ok : NAGIOS_EXIT.critical;
      return isReached ? EXIT.done : Math.max(EXIT.pending, ...waited.systems.map(({ error }) => error?.exitCode ?? 0));
    } catch (error) {
      return this.tellUnreached(error);
    }
  }

  /** Whether each has a row: one alone, and what is found where nothing was applied, is told by itself. */
  private isMatrix(systems: readonly SystemStatus[]): boolean {
    return systems.length > 1 || (this.flags.all && systems[0]?.report.system !== null);
  }

  private metricsOf(systems: readonly SystemStatus[]): string {
    return this.isMatrix(systems) ? renderSeveralPrometheus(systems) : renderPrometheus(systems[0]!.report);
  }

  private async tellAll(systems: readonly SystemStatus[]): Promise<number> {
    return this.isMatrix(systems) ? this.several(systems) : this.tell(systems[0]!.report);
  }

  /** A row for each system, and the worst exit code of all. */
  private async several(systems: readonly SystemStatus[]): Promise<number> {
    const failOn = this.flags['fail-on'] as FailOn;
    const { format } = this;
    if (format === 'text') await this.show(undefined, renderSeveral(systems, this.view));
    else this.stdout.write(drawSeveral(format, systems, failOn));
    if (format === 'github') await appendJobSummary(this.context, renderSeveralMarkdown(systems));
    if (format === 'nagios') return nagiosExitOf(systems);
    return Math.max(
      ...systems.map(({ report, error }) =>
        error ? error.exitCode : fails(report.health, failOn) ? EXIT.pending : EXIT.done,
      ),
    );
  }

  private get view(): StatusView {
    const { theme, width } = this.output;
    return { theme, width, lead: leadTo(this.context.connection) };
  }

  private get format(): OutputFormat {
    if (this.output.json) return 'json';
    return (this.flags.output as OutputFormat | undefined) ?? 'text';
  }

  private async tell(report: StatusReport): Promise<number> {
    const failOn = this.flags['fail-on'] as FailOn;
    const text = this.draw(report, failOn);
    if (this.format === 'text') await this.show(undefined, text);
    else this.stdout.write(text);
    // The report is a file as a rule: without this the log of a failed job would be empty.
    if (this.format === 'junit' && !this.stdout.isTTY && !this.flags.quiet) {
      this.stderr.write(renderStatus(report, this.view));
    }
    if (this.format === 'github') await appendJobSummary(this.context, renderStatusMarkdown(report));
    if (this.format === 'nagios') return NAGIOS_EXIT[report.health];
    return fails(report.health, failOn) || isNothing(report) ? EXIT.pending : EXIT.done;
  }

  private draw(report: StatusReport, failOn: FailOn): string {
    switch (this.format) {
      case 'text':
        return renderStatus(report, this.view);
      case 'json':
        return `${printJson(statusJson(report), 2)}\n`;
      case 'junit':
        return renderJunit(report, failOn);
      case 'prometheus':
        return renderPrometheus(report);
      case 'github':
        return renderGithub(report);
      case 'markdown':
        return renderStatusMarkdown(report);
      case 'nagios':
        return renderNagios(report);
      case 'html':
        return renderStatusHtml([report]);
    }
  }

  /** Who reads a report in a format of its own gets one also where no server was reached; then the error goes on. */
  private async tellUnreached(error: unknown): Promise<number> {
    if (!isServerAway(error) || this.format === 'text' || this.format === 'json') throw error;
    const report = unreached(this.context, error);
    if (this.format === 'nagios') {
      this.stdout.write(renderNagios({ ...report, health: 'unknown' }));
      return NAGIOS_EXIT.unknown;
    }
    await this.tell(report);
    throw error;
  }

  private async watch(choice: SystemsChoice): Promise<number> {
    const everyMs = durationMs('--interval', this.flags.interval);
    const isLive = this.stdout.isTTY === true && this.format === 'text' && this.context.env.TERM !== 'dumb';
    const looks: (readonly SystemStatus[])[] = [];
    const show = (systems: readonly SystemStatus[]) => {
      looks.push(systems);
      if (looks.length > KEPT) looks.shift();
      const [{ report }] = systems as [SystemStatus];
      if (this.format === 'json') {
        this.stdout.write(`${printJson(this.isMatrix(systems) ? severalJson(systems) : statusJson(report))}\n`);
      } else if (!isLive) this.stdout.write(systems.map((one) => `${watchLine(one.report)}\n`).join(''));
      else {
        const screen = renderWatch(looks, {
          ...this.view,
          width: this.stdout.columns ?? this.output.width,
          height: this.stdout.rows ?? 24,
        });
        this.stdout.write(overScreen(screen));
      }
    };
    await watchStatus(this.context, { ...choice, everyMs }, show);
    // The terminal has echoed ^C: the prompt begins a line of its own.
    if (isLive) this.stdout.write('\n');
    return EXIT.done;
  }
}
