import { Flags } from '@oclif/core';
import { lineOfOverview, overviewOfDeadLetters } from '../../lib/operations/dlq/overview.ts';
import { statsOfDeadLetters } from '../../lib/operations/dlq/stats.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderStats } from '../../lib/ui/render/dlq-stats.ts';
import { renderStatsHtml } from '../../lib/ui/render/dlq-stats-html.ts';
import { serverOf } from '../../lib/ui/render/words.ts';
import { keepHeapSmall } from '../../lib/ui/small-heap.ts';

export default class DlqStats extends BaseCommand<typeof DlqStats> {
  static override summary = 'count dead letters by what they have in common';
  static override description =
    `Groups by queue, consumer, subject, reason, state, day, hour, detail (the worker's words), header:NAME or json:.path
(a value in the payload), or several of them. Words that differ in numbers alone are one group, with # for them: "timeout
after #ms". Values are compared as text: 1 and "1" are one; of a header with several lines the first counts. Each group has its count, the first and the last death, the id of a
sample for \`dlq show\`, and the line that replays just it. What is gone counts with --state gone. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --by subject,json:.error.code --since 1d',
    '<%= config.bin %> <%= command.id %> --by header:Trace-Id --json',
  ];
  static override flags = withEnv({
    by: Flags.string({
      summary: 'what to group by, with commas between; repeatable',
      multiple: true,
      multipleNonGreedy: true,
      default: ['subject', 'reason', 'detail'],
    }),
    ...dlqFilterFlags,
    output: Flags.string({
      char: 'o',
      summary: 'who reads it',
      options: ['text', 'json', 'html'],
      helpGroup: 'OUTPUT',
    }),
  });

  protected async execute(): Promise<number | undefined> {
    keepHeapSmall();
    const now = this.context.now();
    const choice = choiceFrom(this.flags, [], now);
    if (this.flags.output === 'html' && !this.output.json) {
      let server = '';
      const { stats, timeline } = await overviewOfDeadLetters(this.context, {
        ...choice,
        by: this.flags.by,
        onTarget: (target) => {
          server = `${target.url}, ${serverOf(target)}`;
        },
      });
      this.stdout.write(
        renderStatsHtml(stats, timeline, {
          line: lineOfOverview(this.context, { ...choice, by: this.flags.by }),
          at: now.toISOString(),
          server,
        }),
      );
      return undefined;
    }
    const stats = await statsOfDeadLetters(this.context, {
      ...choice,
      by: this.flags.by,
      onNone: () => this.context.io.tell({ type: 'note', text: 'nothing is dead' }),
    });
    if (this.flags.output === 'json') this.output = { ...this.output, json: true };
    await this.show(stats, renderStats(stats, { ...this.output, width: this.output.tableWidth, now }));
    return undefined;
  }
}
