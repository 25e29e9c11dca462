import { Flags } from '@oclif/core';
import { runDemo } from '../lib/operations/demo.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../lib/ui/flags.ts';
import { renderDemoEnd, renderDemoStart, renderDemoStep } from '../lib/ui/render/demo.ts';

export default class Demo extends BaseCommand<typeof Demo> {
  static override summary = 'show in a minute what osapi-ops does, on a server of its own';
  static override description =
    `Starts a real nats-server, makes a work queue of the spec that ships and tells its story: drift by hand is found and
mended, a worker answers requests, one dies, status is red, the handler is mended, a replay brings it back. Touches no
other server; removes all it made. Ends with 1 where a step is not as told.`;
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = withEnv({
    console: Flags.boolean({ summary: 'then serve the console on its queue, until Ctrl-C' }),
  });
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;

  protected override get isPatient(): boolean {
    return true;
  }

  protected async execute(): Promise<number | undefined> {
    const { theme, json } = this.output;
    const show = (text: string): void => {
      if (!json) this.screen.write(`${text.trimEnd()}\n`);
    };
    let number = 1;
    const place = { root: this.config.root, launcher: this.launcher, console: this.flags.console };
    const report = await runDemo(this.context, place, {
      onServer: (server) => show(renderDemoStart(server, theme)),
      onStep: (step) => show(renderDemoStep(step, ++number, theme)),
    });
    if (json) this.print(report, '');
    show(renderDemoEnd(theme));
    return 0;
  }
}
