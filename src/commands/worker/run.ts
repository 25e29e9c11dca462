import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { OpsError } from '../../lib/errors/ops-error.ts';
import { parseSize } from '../../lib/model/units.ts';
import type { WorkerEvent } from '../../lib/model/worker.ts';
import { BUILTINS, type WorkChoice, workerRunOperation } from '../../lib/operations/worker/run.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { type LogForm, renderLogLine, renderWorkerReport } from '../../lib/ui/render/worker.ts';
import { durationMs, fileFlag } from '../../lib/ui/spec-flags.ts';
import { createTheme, wantsColour } from '../../lib/ui/theme.ts';

export default class WorkerRun extends BaseCommand<typeof WorkerRun> {
  static override summary = 'answer requests with a handler, a command, or a built-in';
  static override description =
    `Takes requests from the queue, stores each response under the request's id in the bucket, and acks only then.
A failure is tried again as the consumer's backoff says; what can never be handled goes to the dead letters with its
reason. SIGTERM and Ctrl-C finish what is in hand (--grace), give back the rest, and exit 0.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml --builtin dns',
    '<%= config.bin %> <%= command.id %> --handler ./answer.ts --concurrency 32',
    "<%= config.bin %> <%= command.id %> --exec 'jq -c {id,response:.query}' --idle-exit 10s",
  ];
  static override args = {
    spec: Args.string({ description: 'the spec; left out: -f, ./osapi-ops.yaml, what was last applied, what is live' }),
  };
  static override flags = withEnv({
    ...fileFlag,
    handler: Flags.string({ summary: 'a module (JS or TS) whose default export answers a request' }),
    watch: Flags.boolean({
      summary: 'load --handler anew when a module or JSON in its folder changes',
      dependsOn: ['handler'],
    }),
    exec: Flags.string({ summary: 'a command run for each request: payload on stdin, response on stdout' }),
    shell: Flags.boolean({ summary: 'run --exec through /bin/sh', dependsOn: ['exec'] }),
    builtin: Flags.string({ summary: 'a handler that comes with the tool', options: [...BUILTINS] }),
    queue: Flags.string({ summary: 'the stream, where there are several' }),
    consumer: Flags.string({ summary: 'the durable pull consumer, where there are several' }),
    bucket: Flags.string({ summary: 'the bucket of the responses, where there are several' }),
    concurrency: Flags.integer({ summary: 'how many requests are worked on at once', default: 16, min: 1, max: 4096 }),
    prefetch: Flags.integer({
      summary: 'how many more are kept ready; as many again while each takes less than 100ms, else 0',
      min: 0,
      max: 16_384,
    }),
    'handler-timeout': Flags.string({ summary: 'how long one request may take', default: '5m' }),
    'handler-memory': Flags.string({
      summary: 'how much memory all runs of --handler that share a thread may take together',
      default: '512MB',
    }),
    grace: Flags.string({ summary: 'how long work in hand may go on after SIGTERM', default: '25s' }),
    once: Flags.boolean({ summary: 'take one request and exit; the same as --max 1', exclusive: ['max'] }),
    max: Flags.integer({ summary: 'exit after so many deliveries', min: 1 }),
    'idle-exit': Flags.string({ summary: 'exit when nothing came for so long' }),
    log: Flags.string({ summary: 'the form of the log on stderr', options: ['text', 'json'], default: 'text' }),
    verbose: Flags.boolean({ summary: 'log answered requests too' }),
    'metrics-port': Flags.integer({ summary: 'serve Prometheus metrics there', min: 1, max: 65_535 }),
    'metrics-host': Flags.string({ summary: 'the address that --metrics-port listens on', default: '127.0.0.1' }),
  });

  protected override readonly acts = true;

  protected override get isPatient(): boolean {
    return true;
  }

  protected async execute(): Promise<number | undefined> {
    const { flags } = this;
    const idle = flags['idle-exit'];
    const report = await workerRunOperation(this.context, {
      specs: this.args.spec === undefined ? [] : [this.args.spec],
      file: flags.file,
      work: this.chooseWork(),
      queue: flags.queue,
      consumer: flags.consumer,
      bucket: flags.bucket,
      concurrency: flags.concurrency,
      prefetch: flags.prefetch,
      handlerTimeoutMs: durationMs('--handler-timeout', flags['handler-timeout'], 1),
      handlerMemory: bytes('handler-memory', flags['handler-memory']),
      graceMs: durationMs('--grace', flags.grace),
      max: flags.once ? 1 : flags.max,
      ...(idle !== undefined && { idleExitMs: durationMs('--idle-exit', idle, 1) }),
      metricsPort: flags['metrics-port'],
      metricsHost: flags['metrics-host'],
      log: this.logger(),
    });
    this.print(report, renderWorkerReport(report, this.output.theme));
    return report.cut_short > 0 ? EXIT.interrupted : EXIT.done;
  }

  private chooseWork(): WorkChoice {
    const { handler, watch, exec, builtin, shell } = this.flags;
    const given = [handler !== undefined, exec !== undefined, builtin !== undefined].filter(Boolean).length;
    if (given !== 1) {
      throw new OpsError(
        'USAGE',
        given === 0 ? 'nothing says how requests are answered' : 'more than one way to answer',
        {
          where: 'osapi-ops worker run',
          hints: ['give one of --handler FILE, --exec CMD, --builtin dns, --builtin echo'],
        },
      );
    }
    if (handler !== undefined) return { type: 'handler', file: handler, watch };
    if (exec !== undefined) return { type: 'exec', command: exec, shell: shell === true };
    return { type: 'builtin', name: builtin as (typeof BUILTINS)[number] };
  }

  private logger(): (event: WorkerEvent) => void {
    const { flags } = this;
    const theme = createTheme({ colour: !flags['no-color'] && wantsColour(this.context.env, this.stderr) });
    const shown = flags.quiet ? ['warn', 'error'] : ['info', 'warn', 'error', ...(flags.verbose ? ['debug'] : [])];
    return (event) => {
      if (!shown.includes(event.level)) return;
      this.stderr.write(renderLogLine(event, flags.log as LogForm, { now: this.context.now(), theme }));
    };
  }
}

function bytes(flag: string, text: string): number {
  const size = parseSize(text);
  if (size !== undefined && size >= 16 * 1024 * 1024) return size;
  throw new OpsError('USAGE', `--${flag}: "${text}" is not a size of 16MB or more`, { hints: ['write it as 512MB'] });
}
