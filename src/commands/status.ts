import { Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { statusOperation } from '../lib/operations/status.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderStatus, statusJson } from '../lib/ui/render/status.ts';
import { fileFlag, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Status extends BaseCommand<typeof Status> {
  static override summary = 'judge whether a system is as declared and healthy';
  static override description =
    `Looks at the server, the spec and every queue: what waits, what is in flight, what is dead, and whether it can go
on. Tells each trouble with the command to type next. Touches nothing. Exit 2 where something warns, or has drifted.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --json',
  ];
  static override args = specArgs(
    'the spec; left out: -f, ./osapi-ops.yaml, what was last applied, else what is there',
  );
  static override flags = withEnv({
    ...fileFlag,
    'fail-on': Flags.string({ summary: 'exit 2 from here on', options: ['warning', 'critical'], default: 'warning' }),
  });

  protected async execute(): Promise<number | undefined> {
    const report = await statusOperation(this.context, { specs: namesOf(this.args.spec), file: this.flags.file });
    this.print(statusJson(report), renderStatus(report, this.output));
    const bad = this.flags['fail-on'] === 'critical' ? ['critical'] : ['critical', 'warn'];
    return bad.includes(report.health) ? EXIT.pending : EXIT.done;
  }
}
