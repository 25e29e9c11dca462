import { Args, Flags } from '@oclif/core';
import { rebuildEntries } from '../../lib/operations/dlq/rebuild.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderRebuilt } from '../../lib/ui/render/replay.ts';
import { lockWaitFlag, lockWaitMs, namesOf } from '../../lib/ui/spec-flags.ts';

export default class DlqRebuild extends BaseCommand<typeof DlqRebuild> {
  static override summary = 'write the missing entry of every orphan';
  static override description =
    `An orphan is a dead message without an advisory: the DLQ came later, had no leader, or was full. Writes an advisory
in the server's own form, marked as rebuilt by its id. Touches no message of the queue; running it twice changes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dry-run --json',
  ];
  static override args = {
    id: Args.string({ description: 'only these orphans', multiple: true, required: false }),
  };
  static override flags = withEnv({
    ...dlqFilterFlags,
    'dry-run': Flags.boolean({ summary: 'count the orphans, and stop' }),
    yes: Flags.boolean({ char: 'y', summary: 'accepted for scripts: it removes nothing and never asks' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const result = await rebuildEntries(this.context, {
      ...choiceFrom(this.flags, namesOf(this.args.id), this.context.now()),
      dryRun: this.flags['dry-run'],
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
    });
    this.print(result, renderRebuilt(result, this.output));
    return 0;
  }
}
