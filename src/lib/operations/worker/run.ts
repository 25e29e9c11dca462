import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { WorkerEvent, WorkerReport } from '../../model/worker.ts';
import { connect, type Nats } from '../../nats/connect.ts';
import { settingsFor } from '../../nats/open.ts';
import { locateWorker, type WorkerNames, type WorkerPlace } from '../../places/worker.ts';
import { BUILTINS, type Builtin, createBuiltin } from '../../worker/builtin.ts';
import { splitCommand } from '../../worker/command-line.ts';
import { createExec, requireCommand } from '../../worker/execute.ts';
import { openFailures } from '../../worker/failures.ts';
import type { Job, Runner } from '../../worker/job.ts';
import { type Loop, startLoop } from '../../worker/loop.ts';
import { createHandler } from '../../worker/supervise.ts';
import { createTally, IN_HAND, metricsText, type Tally } from '../../worker/tally.ts';
import { readTiming } from '../../worker/timing.ts';
import { createWatchedHandler } from '../../worker/watched.ts';
import { type MetricsServer, serveMetrics } from '../metrics-server.ts';
import { chooseSources, loadForWork, type SpecChoice } from '../spec-source.ts';

export { BUILTINS };

/** What handles the requests; one of them. */
export type WorkChoice =
  | { readonly type: 'handler'; readonly file: string; readonly watch?: boolean }
  | { readonly type: 'exec'; readonly command: string; readonly shell: boolean }
  | { readonly type: 'builtin'; readonly name: Builtin };

export interface WorkerRunOptions extends SpecChoice, WorkerNames {
  readonly work: WorkChoice;
  readonly concurrency: number;
  /** Where left out: as many as are worked on at once while the work is quick, else none. */
  readonly prefetch?: number;
  readonly handlerTimeoutMs: number;
  /** In bytes. */
  readonly handlerMemory: number;
  readonly graceMs: number;
  readonly max?: number;
  readonly idleExitMs?: number;
  readonly metricsPort?: number;
  readonly metricsHost: string;
  readonly log: (event: WorkerEvent) => void;
}

/**
 * Answers requests until told to stop, or until `max` or `idleExitMs` says so.
 * @throws OpsError USAGE*, SPEC_*, NOT_FOUND, CONN_*, DENIED_*; INTERRUPTED where work was left behind, with the report
 */
export async function workerRunOperation(context: Context, options: WorkerRunOptions): Promise<WorkerReport> {
  const command = commandOf(context, options.work);
  const [source] = chooseSources(context, options);
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  // Work in hand is finished after Ctrl-C: the connection must not be ended by it.
  const starting = new AbortController();
  const { signal } = context.io;
  const onAbort = () => starting.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  const nats = await connect(settingsFor(context, loaded), {
    signal: starting.signal,
    env: context.env,
    cwd: context.cwd,
    patient: true,
  });
  try {
    const place = await locateWorker(nats, options, loaded?.spec);
    const runner = await createRunner(context, nats, options, command);
    signal.removeEventListener('abort', onAbort);
    return await work(context, nats, { place, runner, options });
  } finally {
    await nats.nc.flush().catch(() => {});
    await nats.close();
  }
}

/** The words of `--exec`, which nobody need be asked to judge. */
function commandOf(context: Context, work: WorkChoice): readonly string[] {
  if (work.type !== 'exec') return [];
  const command = work.shell ? ['/bin/sh', '-c', work.command] : splitCommand(work.command);
  requireCommand(command[0]!, context);
  return command;
}

async function createRunner(
  context: Context,
  nats: Nats,
  options: WorkerRunOptions,
  command: readonly string[],
): Promise<Runner> {
  const { work, handlerTimeoutMs: timeoutMs } = options;
  switch (work.type) {
    case 'builtin':
      return createBuiltin(work.name);
    case 'handler': {
      const handler = {
        file: work.file,
        cwd: context.cwd,
        timeoutMs,
        memory: options.handlerMemory,
        onLine: (message: string, job?: Job) =>
          options.log({
            level: 'info',
            event: 'handler',
            message,
            ...(job && { request_id: job.id, seq: job.delivery.seq }),
          }),
      };
      return work.watch
        ? createWatchedHandler({ ...handler, onReload: tellReload(options), onEcho: tellEcho(options) })
        : createHandler(handler);
    }
    case 'exec':
      return createExec({
        command,
        cwd: context.cwd,
        env: context.env,
        timeoutMs,
        maxResponse: nats.target.server.max_payload,
      });
  }
}

const tellReload =
  ({ work, log }: WorkerRunOptions) =>
  (problem?: Error): void => {
    const file = work.type === 'handler' ? work.file : '';
    if (problem) {
      const why = problem instanceof OpsError && problem.why ? problem.why : problem.message;
      const message = `${file} could not be loaded anew, the one before goes on: ${why}`;
      log({ level: 'error', event: 'reload_failed', message });
    } else log({ level: 'info', event: 'reloaded', message: `loaded ${file} anew` });
  };

const tellEcho =
  ({ log }: WorkerRunOptions) =>
  (name: string): void => {
    const message = `${name} changes with each reload, and is not looked at any more: write what the worker writes elsewhere`;
    log({ level: 'warn', event: 'not_watched', message });
  };

interface Ready {
  readonly place: WorkerPlace;
  readonly runner: Runner;
  readonly options: WorkerRunOptions;
}

async function work(context: Context, nats: Nats, { place, runner, options }: Ready): Promise<WorkerReport> {
  const { queue, consumer, bucket } = place;
  const { log } = options;
  const tally = createTally();
  const started = performance.now();
  log({
    level: 'info',
    event: 'started',
    message: `works on ${queue}/${consumer}, answers into ${bucket}, at ${nats.target.url} (${nats.target.chosenBy})`,
  });
  if (!place.keepsRejects) {
    const message =
      `no stream captures rejects of ${queue}/${consumer}: a request that can never be handled stays in the queue and ` +
      'dies of its deliveries; `osapi-ops apply` of a spec with a dlq changes that';
    log({ level: 'warn', event: 'rejects_not_kept', message });
  }
  // Before anything is taken in hand: a port that is taken must cost no delivery.
  let loop: Loop | undefined;
  const metrics = await openMetrics(options, tally, { queue, consumer }, () => loop?.inHand() ?? 0).catch((error) => {
    void runner.stop();
    throw error;
  });
  const stopWatch = watchConnection(nats, log);
  loop = startLoop(nats, {
    ...options,
    stream: queue,
    consumer,
    bucket,
    timing: readTiming(place.config),
    maxBatch: Number(place.config.max_batch ?? 0),
    maxExpiresMs: Number(place.config.max_expires ?? 0) / 1e6,
    runner,
    tally,
    keepsRejects: place.keepsRejects,
    signal: context.io.signal,
    failures: openFailures(nats, (why) =>
      log({ level: 'warn', event: 'reasons_not_kept', message: `the reasons of failures are not kept: ${why}` }),
    ),
  });
  try {
    const end = await loop.ended;
    const report: WorkerReport = {
      queue,
      consumer,
      bucket,
      seconds: Math.round(performance.now() - started) / 1000,
      ended_by: end,
      ...tally.counts,
    };
    log({ level: 'info', event: 'stopped', message: STOPPED[end] });
    return report;
  } finally {
    stopWatch();
    metrics?.close();
  }
}

const STOPPED: Readonly<Record<WorkerReport['ended_by'], string>> = {
  signal: 'stopped: nothing is in hand any more',
  max: 'stopped: took as many as it was to take',
  idle: 'stopped: nothing came any more',
};

/** Tells when the server goes and comes back. */
function watchConnection(nats: Nats, log: (event: WorkerEvent) => void): () => void {
  let watching = true;
  void (async () => {
    for await (const status of nats.nc.status()) {
      if (!watching) return;
      if (status.type === 'disconnect') {
        log({ level: 'warn', event: 'disconnected', message: `the connection to ${status.server} is lost` });
      } else if (status.type === 'reconnect') {
        log({ level: 'info', event: 'reconnected', message: `connected again, to ${status.server}` });
      }
    }
  })();
  return () => {
    watching = false;
  };
}

async function openMetrics(
  { metricsPort, metricsHost }: WorkerRunOptions,
  tally: Tally,
  labels: Readonly<Record<string, string>>,
  inHand: () => number,
): Promise<MetricsServer | undefined> {
  if (metricsPort === undefined) return undefined;
  return serveMetrics({
    flag: '--metrics-port',
    host: metricsHost,
    port: metricsPort,
    paths: ['/metrics', '/'],
    text: () => metricsText(tally, labels, { in_hand: { help: IN_HAND, value: inHand() } }),
  });
}
