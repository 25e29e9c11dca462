import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { leadTo } from '../../lib/model/call.ts';
import { drainQueue } from '../../lib/operations/queue/drain.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderDrain } from '../../lib/ui/render/queue.ts';
import { durationMs, fileFlag } from '../../lib/ui/spec-flags.ts';

export default class QueueDrain extends BaseCommand<typeof QueueDrain> {
  static override summary = 'wait until nothing waits and nothing is in flight';
  static override description =
    `Stops nobody and deletes nothing: the workers have to do the work, and publishers should have stopped. Dead messages
stay in the queue and are counted. Exit 1 where something is left when the time is over.`;
  static override examples = ['<%= config.bin %> <%= command.id %> REQUESTS --wait 5m'];
  static override args = {
    target: Args.string({ description: 'the queue; left out where there is one only' }),
  };
  static override flags = withEnv({
    ...fileFlag,
    wait: Flags.string({ summary: 'at most so long; 0s looks once', default: '10m' }),
  });

  protected async execute(): Promise<number> {
    const { file, wait } = this.flags;
    const result = await drainQueue(this.context, {
      target: this.args.target,
      file,
      waitMs: durationMs('--wait', wait),
    });
    this.print(result, renderDrain(result, { ...this.output, lead: leadTo(this.context.connection, this.flags.file) }));
    return result.drained ? EXIT.done : EXIT.failed;
  }
}
