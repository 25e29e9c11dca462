import { Args, Flags } from '@oclif/core';
import { leadTo } from '../../lib/model/call.ts';
import { pauseQueue } from '../../lib/operations/queue/pause.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderPauses } from '../../lib/ui/render/queue.ts';
import { durationMs, fileFlag, momentFlag } from '../../lib/ui/spec-flags.ts';

export default class QueuePause extends BaseCommand<typeof QueuePause> {
  static override summary = 'stop delivering a queue to its workers';
  static override description =
    `Publishers go on, and what is in flight may still be acknowledged; nothing new is delivered until the time is over
or \`queue resume\`. Needs nats-server 2.11. Deletes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQUESTS --for 1h',
    '<%= config.bin %> <%= command.id %> REQUESTS/request-worker --until 2099-11-24T08:00Z',
  ];
  static override args = {
    target: Args.string({ description: 'QUEUE or QUEUE/CONSUMER; left out where there is one queue only' }),
  };
  static override flags = withEnv({
    ...fileFlag,
    for: Flags.string({ summary: 'for so long, as 1h', exclusive: ['until'] }),
    until: Flags.string({ summary: 'until this time, as 2026-11-24T08:00Z' }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<undefined> {
    const { file, for: length, until } = this.flags;
    const results = await pauseQueue(this.context, {
      target: this.args.target,
      file,
      ...(length !== undefined && { forMs: durationMs('--for', length) }),
      ...(until !== undefined && { until: momentFlag('--until', until) }),
    });
    this.print(
      results,
      renderPauses(results, { ...this.output, lead: leadTo(this.context.connection, this.flags.file) }),
    );
  }
}
