import { Flags } from '@oclif/core';
import { entryJson } from '../../lib/model/entry.ts';
import { printJson } from '../../lib/model/json.ts';
import { watchDeadLetters } from '../../lib/operations/dlq/watch.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderDeath } from '../../lib/ui/render/dlq.ts';

export default class DlqWatch extends BaseCommand<typeof DlqWatch> {
  static override summary = 'tell of new deaths as they come';
  static override description =
    `Prints a line for each request that dies from now on, until Ctrl-C (exit code 0), or until --limit of them.
Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --ndjson --subject "requests.dns"',
    '<%= config.bin %> <%= command.id %> --limit 1 && echo "something died"',
  ];
  static override flags = withEnv({
    ...dlqFilterFlags,
    ndjson: Flags.boolean({ summary: 'a line of JSON for each (--json means the same here)', helpGroup: 'OUTPUT' }),
  });

  protected override get isPatient(): boolean {
    return true;
  }

  protected async execute(): Promise<number | undefined> {
    const choice = choiceFrom(this.flags, [], this.context.now());
    const asJson = this.flags.ndjson || this.output.json;
    const died = await watchDeadLetters(this.context, choice, (entry) => {
      const line = asJson ? printJson(entryJson(entry)) : renderDeath(entry, this.output.theme);
      this.stdout.write(`${line}\n`);
      return undefined;
    });
    this.context.io.tell({ type: 'note', text: died === 1 ? '1 died' : `${died} died` });
    return 0;
  }
}
