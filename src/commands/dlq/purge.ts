import { Args, Flags } from '@oclif/core';
import { purgeDeadLetters } from '../../lib/operations/dlq/purge.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderPurged } from '../../lib/ui/render/replay.ts';
import { keepHeapSmall } from '../../lib/ui/small-heap.ts';
import { lockWaitFlag, lockWaitMs, namesOf } from '../../lib/ui/spec-flags.ts';

export default class DlqPurge extends BaseCommand<typeof DlqPurge> {
  static override summary = 'delete dead letters with their messages, after archiving them';
  static override description =
    `Writes an archive first, and deletes only what is in it, entry and message together. \`dlq import\` brings it back.
Asks on a terminal; without one it does nothing unless --yes is given. Never touches live messages: what another
consumer of the stream still needs stays, and is named.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --older-than 30d --archive old.ndjson --yes',
    '<%= config.bin %> <%= command.id %> --state gone --yes',
  ];
  static override args = {
    id: Args.string({ description: 'only these entries', multiple: true, required: false }),
  };
  static override flags = withEnv({
    ...dlqFilterFlags,
    archive: Flags.string({ summary: 'the file to archive to; a dated one in this directory where left out' }),
    'dry-run': Flags.boolean({ summary: 'show what would go, grouped, and stop' }),
    yes: Flags.boolean({ char: 'y', summary: 'delete without asking; needed where nobody can be asked' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    keepHeapSmall();
    const { archive, yes } = this.flags;
    const now = this.context.now();
    const result = await purgeDeadLetters(this.context, {
      ...choiceFrom(this.flags, namesOf(this.args.id), now),
      yes,
      dryRun: this.flags['dry-run'],
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
      archive,
    });
    this.print(result, renderPurged(result, { ...this.output, now }));
    return 0;
  }
}
