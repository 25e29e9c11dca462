import { Args } from '@oclif/core';
import { leadTo } from '../../lib/model/call.ts';
import { resumeQueue } from '../../lib/operations/queue/pause.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderPauses } from '../../lib/ui/render/queue.ts';
import { fileFlag } from '../../lib/ui/spec-flags.ts';

export default class QueueResume extends BaseCommand<typeof QueueResume> {
  static override summary = 'deliver a paused queue again';
  static override description = 'Ends what `queue pause` began. Where nothing is paused it does nothing, and says so.';
  static override examples = ['<%= config.bin %> <%= command.id %> REQUESTS'];
  static override args = {
    target: Args.string({ description: 'QUEUE or QUEUE/CONSUMER; left out where there is one queue only' }),
  };
  static override flags = withEnv({ ...fileFlag });

  protected override readonly acts = true;

  protected async execute(): Promise<undefined> {
    const results = await resumeQueue(this.context, { target: this.args.target, file: this.flags.file });
    this.print(
      results,
      renderPauses(results, { ...this.output, lead: leadTo(this.context.connection, this.flags.file) }),
    );
  }
}
