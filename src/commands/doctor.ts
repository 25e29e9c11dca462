import { EXIT } from '../lib/errors/codes.ts';
import { doctorOperation } from '../lib/operations/doctor.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderDiagnosis } from '../lib/ui/render/doctor.ts';
import { fileFlag, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Doctor extends BaseCommand<typeof Doctor> {
  static override summary = 'find out why it does not connect, or what this user may do';
  static override description =
    `Walks from the settings (and the flag, variable or context that decided each) to name, port, TLS, credentials,
account, JetStream, clock and permissions, and says where it goes wrong. Reads only; shows no secret.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --context prod',
  ];
  static override args = specArgs('the spec; left out: -f, ./osapi-ops.yaml, or what was last applied');
  static override flags = withEnv({ ...fileFlag });

  protected async execute(): Promise<number> {
    const { fault, ...diagnosis } = await doctorOperation(this.context, {
      specs: namesOf(this.args.spec),
      file: this.flags.file,
    });
    await this.show(diagnosis, renderDiagnosis(diagnosis, this.output));
    if (fault) return fault.exitCode;
    return diagnosis.health === 'critical' ? EXIT.failed : EXIT.done;
  }
}
