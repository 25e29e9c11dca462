import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { replayDeadLetters } from '../../lib/operations/dlq/replay.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { rateOf } from '../../lib/ui/dlq-write-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderPreview, renderReplayed } from '../../lib/ui/render/replay.ts';
import { durationMs, lockWaitFlag, lockWaitMs, namesOf } from '../../lib/ui/spec-flags.ts';

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
    rate: Flags.string({ summary: 'at most so many, as 100/s or 30/m' }),
    'max-in-flight': Flags.integer({ summary: 'so many at once', default: 256, min: 1, max: 4096 }),
    'max-pending': Flags.integer({ summary: 'hold while the queue has more than this waiting', min: 1 }),
    'max-replays': Flags.integer({ summary: 'leave what was replayed so often and died again', default: 3, min: 1 }),
    wait: Flags.boolean({ summary: 'follow each to its response, its ack or its next death, and report' }),
    'wait-timeout': Flags.string({ summary: 'how long to follow them', default: '5m' }),
    canary: Flags.integer({ summary: 'send so many ahead, and the others only if these live', min: 1 }),
    to: Flags.string({ summary: 'publish on this subject instead of their own' }),
    'allow-redelivery': Flags.boolean({
      summary: 'go on where other consumers of the stream get the messages again (limits, interest)',
    }),
    transform: Flags.string({
      summary:
        'a module whose default export takes each request, {id, subject, headers, payload: text}, and returns it as it should be, or null to skip it',
      exclusive: ['edit'],
    }),
    edit: Flags.boolean({ summary: 'open each in $EDITOR first: subject, headers, payload' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const { flags } = this;
    const now = this.context.now();
    const result = await replayDeadLetters(this.context, {
      ...choiceFrom(flags, namesOf(this.args.id), now),
      dryRun: flags['dry-run'],
      edit: flags.edit,
      transform: flags.transform,
      lockWaitMs: lockWaitMs(flags['lock-wait']),
      keepEntries: this.output.json,
      wishes: {
        maxInFlight: flags['max-in-flight'],
        maxReplays: flags['max-replays'],
        wait: flags.wait,
        waitMs: durationMs('--wait-timeout', flags['wait-timeout'], 1),
        ...(flags.rate !== undefined && { rate: rateOf('--rate', flags.rate) }),
        maxPending: flags['max-pending'],
        canary: flags.canary,
        to: flags.to,
        allowRedelivery: flags['allow-redelivery'],
      },
    });
    const { theme, width } = this.output;
    this.print(
      result,
      result.dry_run ? renderPreview(result, { theme, width, now }) : renderReplayed(result, { theme }),
    );
    const { died = 0, unknown = 0 } = result.fates ?? {};
    // A canary that nobody settled is no sign of life.
    const isBad = result.failed > 0 || died > 0 || (flags.canary !== undefined && unknown > 0);
    return isBad ? EXIT.failed : EXIT.done;
  }
}
