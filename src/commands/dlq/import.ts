import { Args, Flags } from '@oclif/core';
import { importDeadLetters } from '../../lib/operations/dlq/import.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderImported } from '../../lib/ui/render/replay.ts';
import { lockWaitFlag, lockWaitMs } from '../../lib/ui/spec-flags.ts';

export default class DlqImport extends BaseCommand<typeof DlqImport> {
  static override summary = 'bring archived dead letters back';
  static override description =
    `Restores entries as they were and their messages, byte for byte, as dead letters that carry their payload: replay
puts them into the queue, import does not, for there they would be work at once. Importing twice changes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> old.ndjson',
    '<%= config.bin %> <%= command.id %> old.ndjson --dry-run --json',
  ];
  static override args = {
    archive: Args.string({
      description: 'a file that `dlq export` or `dlq purge` wrote; - is standard input',
      required: true,
    }),
  };
  static override flags = withEnv({
    ...dlqFilterFlags,
    'dry-run': Flags.boolean({ summary: 'count what would be imported, and stop' }),
    yes: Flags.boolean({ char: 'y', summary: 'accepted for scripts: it removes nothing and never asks' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const result = await importDeadLetters(this.context, {
      ...choiceFrom(this.flags, [], this.context.now()),
      archive: this.args.archive,
      dryRun: this.flags['dry-run'],
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
    });
    this.print(result, renderImported(result, this.output));
    return 0;
  }
}
