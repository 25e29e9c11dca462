import { Args, Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { OpsError } from '../lib/errors/ops-error.ts';
import { printJson } from '../lib/model/json.ts';
import { validateOperation } from '../lib/operations/validate.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../lib/ui/flags.ts';
import { renderCodeQuality } from '../lib/ui/render/code-quality.ts';
import { errorJson } from '../lib/ui/render/error.ts';
import { renderValidated } from '../lib/ui/render/validated.ts';
import { annotate } from '../lib/ui/report.ts';

export default class Validate extends BaseCommand<typeof Validate> {
  static override summary = 'judge specs offline: every problem at once, each with its place and mend';
  static override description =
    `Reads a spec and what it extends, and says what the server would refuse and what would go wrong later, each with
file:line:column, a code, the reason and the mend. Asks no server. Only --fix writes, and only into the spec's files:
mends that are safe, with comments and formatting kept. Exits 65 where there is an error.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml',
    '<%= config.bin %> <%= command.id %> --fix osapi-ops.yaml',
    '<%= config.bin %> <%= command.id %> --strict --json config/dev.yaml config/prod.yaml',
  ];
  // It connects to nothing: the connection flags have no place here.
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override args = {
    spec: Args.string({ description: 'specs to judge; - is stdin', multiple: true }),
  };
  static override flags = withEnv({
    file: Flags.string({ char: 'f', summary: 'the spec, where none is an argument', env: 'OSAPI_OPS_SPEC' }),
    fix: Flags.boolean({ summary: 'write the safe mends into the files' }),
    output: Flags.string({
      char: 'o',
      summary: 'who reads it; gitlab is its code quality report',
      options: ['text', 'json', 'github', 'gitlab'],
      helpGroup: 'OUTPUT',
    }),
    strict: Flags.boolean({ summary: 'count warnings as errors' }),
  });

  protected async execute(): Promise<number | undefined> {
    const { file, fix, strict, output } = this.flags;
    const { env } = this.context;
    const result = await validateOperation(this.context, { specs: this.args.spec ?? [], file, fix, strict });
    const { valid, sources, problems, fixed } = result;
    const plain = (list: typeof problems) => list.map(({ mend: _, ...problem }) => problem);
    const json = { valid, files: sources, fixed: plain(fixed), problems: plain(problems) };
    const failure = new OpsError('SPEC_INVALID', `${sources.join(', ')}: not valid`, { problems, result: json });
    const text = renderValidated(result, this.output.theme);
    if (output === 'gitlab') {
      // The report is a file as a rule: the log would tell a person nothing.
      this.stderr.write(text);
      this.stdout.write(renderCodeQuality(problems, { cwd: this.context.cwd, workspace: env.CI_PROJECT_DIR }));
    } else if (output === 'json' || this.output.json)
      this.stdout.write(`${printJson(valid ? json : errorJson(failure), 2)}\n`);
    else await this.show(undefined, text);
    annotate(problems, { always: output === 'github' });
    return valid ? EXIT.done : EXIT.invalidSpec;
  }
}
