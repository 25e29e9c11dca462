import { Args, Flags } from '@oclif/core';
import { stopReplay } from '../../../lib/operations/dlq/replays/stop.ts';
import { BaseCommand } from '../../../lib/ui/base-command.ts';
import { withEnv } from '../../../lib/ui/flags.ts';
import { renderRun } from '../../../lib/ui/render/replays.ts';
import { durationMs, fileFlag } from '../../../lib/ui/spec-flags.ts';

export default class DlqReplaysStop extends BaseCommand<typeof DlqReplaysStop> {
  static override summary = 'stop a replay from anywhere';
  static override description =
    `It ends as Ctrl-C in its own terminal ends it: what has begun is finished, nothing new begins, and it exits 130 there.
Waits until it has ended. One that does not run any more is left as it is.`;
  static override examples = ['<%= config.bin %> <%= command.id %> 20261128T031500000Z-9f3a1c'];
  static override args = {
    id: Args.string({ description: 'which one, as `dlq replays ls` prints it', required: true }),
  };
  static override flags = withEnv({
    ...fileFlag,
    wait: Flags.string({ summary: 'how long to wait for its end', default: '30s' }),
    yes: Flags.boolean({ char: 'y', summary: 'accepted for scripts: it removes nothing and never asks' }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<undefined> {
    const { file, wait } = this.flags;
    const run = await stopReplay(this.context, { file, id: this.args.id, waitMs: durationMs('--wait', wait) });
    this.print(run, renderRun(run, this.output));
  }
}
