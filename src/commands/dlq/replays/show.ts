import { Args } from '@oclif/core';
import { showReplay } from '../../../lib/operations/dlq/replays/show.ts';
import { BaseCommand } from '../../../lib/ui/base-command.ts';
import { withEnv } from '../../../lib/ui/flags.ts';
import { renderRun } from '../../../lib/ui/render/replays.ts';
import { fileFlag } from '../../../lib/ui/spec-flags.ts';

export default class DlqReplaysShow extends BaseCommand<typeof DlqReplaysShow> {
  static override summary = 'show one replay: how far it is, and what failed or died again, and why';
  static override description = 'Touches nothing.';
  static override examples = ['<%= config.bin %> <%= command.id %> 20261128T031500000Z-9f3a1c'];
  static override args = {
    id: Args.string({ description: 'which one, as `dlq replays ls` prints it', required: true }),
  };
  static override flags = withEnv({ ...fileFlag });

  protected async execute(): Promise<undefined> {
    const run = await showReplay(this.context, { ...this.flags, id: this.args.id });
    await this.show(run, renderRun(run, this.output));
  }
}
