import { Flags } from '@oclif/core';
import { stopDev } from '../../lib/operations/dev/stop.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../../lib/ui/flags.ts';

export default class DevStop extends BaseCommand<typeof DevStop> {
  static override summary = 'stop the development server of this project';
  static override description = 'Waits until it is gone. Its data is kept. Where none runs, there is nothing to do.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override flags = withEnv({
    dir: Flags.directory({ summary: 'where its data and state are' }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const stopped = await stopDev(this.context, this.flags.dir);
    const text = stopped
      ? `stopped ${stopped.url}; the data is kept in ${stopped.data}`
      : 'no development server runs here';
    this.print({ stopped: stopped !== undefined, ...stopped }, text);
    return 0;
  }
}
