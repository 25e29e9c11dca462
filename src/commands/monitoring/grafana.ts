import { grafanaOperation } from '../../lib/operations/monitoring.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../../lib/ui/flags.ts';
import { fileFlag, namesOf, specArgs } from '../../lib/ui/spec-flags.ts';

export default class MonitoringGrafana extends BaseCommand<typeof MonitoringGrafana> {
  static override summary = 'print a dashboard for Grafana';
  static override description =
    `JSON to import: health, the dead, what waits and for how long, room, every check over time. Its lines turn yellow and red
at the limits under \`health\` of the spec. It asks for a Prometheus data source. Asks no server.`;
  static override examples = ['<%= config.bin %> <%= command.id %> config/prod.yaml > dashboard.json'];
  static override args = specArgs('the spec whose limits are drawn');
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override flags = withEnv({ ...fileFlag });

  protected async execute(): Promise<undefined> {
    const dashboard = await grafanaOperation(this.context, { specs: namesOf(this.args.spec), file: this.flags.file });
    await this.show(dashboard, JSON.stringify(dashboard, null, 2));
  }
}
