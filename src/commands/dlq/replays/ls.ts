import { Flags } from '@oclif/core';
import { RUN_STATES } from '../../../lib/model/replay-run.ts';
import { listReplays } from '../../../lib/operations/dlq/replays/ls.ts';
import { BaseCommand } from '../../../lib/ui/base-command.ts';
import { withEnv } from '../../../lib/ui/flags.ts';
import { renderRuns } from '../../../lib/ui/render/replays.ts';
import { fileFlag } from '../../../lib/ui/spec-flags.ts';

export default class DlqReplaysLs extends BaseCommand<typeof DlqReplaysLs> {
  static override summary = 'list replays: who runs what, how far it is, what became of it';
  static override description =
    `Running and recent ones, newest first. One that was killed is unfinished; \`show\` has the line that goes on with it.
Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --state failed --state unfinished',
    `<%= config.bin %> <%= command.id %> --json | jq -r '.[] | select(.state == "running") | .id'`,
  ];
  static override flags = withEnv({
    ...fileFlag,
    queue: Flags.string({ summary: 'only those of this queue (its stream)', multiple: true, multipleNonGreedy: true }),
    state: Flags.string({
      summary: 'only this state',
      options: [...RUN_STATES],
      multiple: true,
      multipleNonGreedy: true,
    }),
    limit: Flags.integer({ summary: 'the newest so many', min: 1, default: 20 }),
  });

  protected async execute(): Promise<undefined> {
    const isFiltered = (this.flags.queue ?? this.flags.state) !== undefined;
    const runs = await listReplays(this.context, this.flags);
    if (runs.length === 0)
      this.context.io.tell({
        type: 'note',
        text: isFiltered ? 'no replay is like that' : 'no replay was written down',
      });
    const options = { ...this.output, width: this.output.tableWidth, now: this.context.now() };
    await this.show(runs, runs.length > 0 ? renderRuns(runs, options) : '');
  }
}
