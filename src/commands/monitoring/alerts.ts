import { Flags } from '@oclif/core';
import { alertsOperation } from '../../lib/operations/monitoring.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../../lib/ui/flags.ts';
import { fileFlag, namesOf, specArgs } from '../../lib/ui/spec-flags.ts';

export default class MonitoringAlerts extends BaseCommand<typeof MonitoringAlerts> {
  static override summary = 'print alert rules for Prometheus';
  static override description =
    `Made from the metrics of \`status --output prometheus\` and the limits under \`health\` of the spec; without a spec, for
every system with the limits that status goes by. Each alert names its code, which \`osapi-ops explain\` knows, and what to type. Asks no server.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml > osapi-ops.rules.yml',
    '<%= config.bin %> <%= command.id %> --docs https://wiki.example.com/osapi-ops/checks',
  ];
  static override args = specArgs('the spec whose limits are taken');
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override flags = withEnv({
    ...fileFlag,
    docs: Flags.string({
      summary:
        'where your people find the page of the checks; its #check_… is added; left out, no rule has a runbook_url',
    }),
  });

  protected async execute(): Promise<undefined> {
    const { file, docs } = this.flags;
    const { rules, text } = await alertsOperation(this.context, { specs: namesOf(this.args.spec), file }, docs);
    await this.show(rules, text);
  }
}
