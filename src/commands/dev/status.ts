import { Flags } from '@oclif/core';
import { readDevStatus } from '../../lib/operations/dev/status.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../../lib/ui/flags.ts';
import { renderDevStatus } from '../../lib/ui/render/dev.ts';

export default class DevStatus extends BaseCommand<typeof DevStatus> {
  static override summary = 'say whether the development server of this project runs, and where';
  static override description = 'Exit code 0 where it runs, 1 where it does not. Touches nothing.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override flags = withEnv({
    dir: Flags.directory({ summary: 'where its data and state are' }),
  });

  protected async execute(): Promise<number | undefined> {
    const report = readDevStatus(this.context, this.flags.dir);
    this.print({ running: report !== undefined, ...report }, renderDevStatus(report, this.context.now()));
    return report ? 0 : 1;
  }
}
