import { Flags } from '@oclif/core';
import type { DevReport } from '../../lib/model/dev.ts';
import { detachDev } from '../../lib/operations/dev/detach.ts';
import { type DevOptions, runDev } from '../../lib/operations/dev/index.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../../lib/ui/flags.ts';
import { renderDevReady } from '../../lib/ui/render/dev.ts';

export default class Dev extends BaseCommand<typeof Dev> {
  static override summary = 'run a real nats-server with JetStream on loopback, for development';
  static override description =
    `Prints the server's URL on stdout when it answers, and runs until Ctrl-C. Finds nats-server by
OSAPI_OPS_NATS_SERVER, on PATH or in its own cache, else fetches one and checks its digest. Streams are kept in
.osapi-dev/ of the project. Nothing outlives it, even when it is killed.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --detach --context',
    '<%= config.bin %> <%= command.id %> --apply config/dev.yaml --worker answer.mjs',
    '<%= config.bin %> <%= command.id %> --cluster 3 --fresh',
  ];
  // It connects to nothing but what it starts: the connection flags have no place here.
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override flags = withEnv({
    port: Flags.integer({
      summary: 'the port to listen on; left out: that of the last time, else 4222 or a free one',
      min: 1,
      max: 65535,
    }),
    cluster: Flags.integer({ summary: 'how many nodes: 1, or 3 or 5 with routes between them', default: 1 }),
    fresh: Flags.boolean({ summary: 'start without the data of the last time' }),
    detach: Flags.boolean({ summary: 'return when it is ready; `dev stop` ends it' }),
    apply: Flags.string({ summary: 'a spec to apply as soon as it answers' }),
    worker: Flags.string({ summary: 'a module for `worker run --handler --watch` on it' }),
    context: Flags.boolean({ summary: 'write the nats context osapi-dev, and remove it at the end' }),
    dir: Flags.directory({ summary: 'where data and state go instead of .osapi-dev of the project' }),
  });

  protected override readonly acts = true;

  protected override get isPatient(): boolean {
    return true;
  }

  protected async execute(): Promise<number | undefined> {
    const flags = this.flags as Record<string, unknown>;
    const options: DevOptions = {
      port: this.flags.port,
      cluster: this.flags.cluster,
      fresh: this.flags.fresh,
      writeContext: flags.context === true,
      dir: this.flags.dir,
      apply: this.flags.apply,
      worker: this.flags.worker,
    };
    const show = (report: DevReport, detached: boolean): void => {
      for (const text of renderDevReady(report, detached)) this.context.io.tell({ type: 'note', text });
      this.print(report, report.url);
    };
    if (this.flags.detach) {
      show(await detachDev(this.context, options, this.launcher), true);
    } else {
      await runDev(this.context, options, this.launcher, (report) => show(report, false));
      this.context.io.tell({ type: 'note', text: 'stopped; the data is kept' });
    }
    return 0;
  }
}
