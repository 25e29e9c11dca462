import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { isBadReplay } from '../../lib/model/replay.ts';
import { replayDeadLetters } from '../../lib/operations/dlq/replay.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderPreview, renderReplayed } from '../../lib/ui/render/replay.ts';
import { replayFlags, wishesFrom } from '../../lib/ui/replay-flags.ts';
import { keepHeapSmall } from '../../lib/ui/small-heap.ts';
import { lockWaitFlag, lockWaitMs, namesOf } from '../../lib/ui/spec-flags.ts';

export default class DlqReplay extends BaseCommand<typeof DlqReplay> {
  static override summary = 'move dead letters back into their queue';
  static override description =
    `Publishes each with its subject, payload and headers and a message id that is the same however often this runs, and
removes the dead original and its entry only when the copy is stored. Killed at any moment, nothing is lost, and the
next run goes on. A full queue is no obstacle. Never touches live messages, nor what cannot be replayed.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --subject requests.dns --since 2h --rate 100/s',
    '<%= config.bin %> <%= command.id %> --canary 5 --wait',
    '<%= config.bin %> <%= command.id %> --where json:.v=1 --transform mend.mjs --dry-run',
  ];
  static override args = {
    id: Args.string({ description: 'only these entries', multiple: true, required: false }),
  };
  static override flags = withEnv({
    ...dlqFilterFlags,
    'dry-run': Flags.boolean({ summary: 'show what would move, grouped, and stop' }),
    yes: Flags.boolean({ char: 'y', summary: 'accepted for scripts: a replay is safe and never asks' }),
    ...replayFlags,
    transform: Flags.string({
      summary:
        'a module whose default export takes each request, {id, subject, headers, payload: text}, and returns it as it should be, or null to skip it',
      exclusive: ['edit'],
    }),
    edit: Flags.boolean({ summary: 'open each in $EDITOR first: subject, headers, payload' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected override get isPatient(): boolean {
    return this.flags.edit;
  }

  protected async execute(): Promise<number | undefined> {
    if (this.flags['dry-run']) keepHeapSmall();
    const { flags } = this;
    const now = this.context.now();
    const result = await replayDeadLetters(this.context, {
      ...choiceFrom(flags, namesOf(this.args.id), now),
      dryRun: flags['dry-run'],
      edit: flags.edit,
      transform: flags.transform,
      lockWaitMs: lockWaitMs(flags['lock-wait']),
      keepEntries: this.output.json,
      wishes: wishesFrom(flags, this.isLeftOut('max-in-flight')),
    });
    const { theme, width } = this.output;
    this.print(
      result,
      result.dry_run ? renderPreview(result, { theme, width, now }) : renderReplayed(result, { theme }),
    );
    return isBadReplay(result, flags.canary) ? EXIT.failed : EXIT.done;
  }
}
