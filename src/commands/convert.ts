import { Args, Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { objectOf, textOf } from '../lib/model/json.ts';
import { convertOperation } from '../lib/operations/convert.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { outputFlags, withEnv } from '../lib/ui/flags.ts';
import { convertWarnings, nameNote } from '../lib/ui/render/converted.ts';

export default class Convert extends BaseCommand<typeof Convert> {
  static override summary = 'turn nats CLI JSON, NACK manifests or Terraform state into a spec';
  static override description =
    `Reads stream and consumer configurations as the nats CLI writes and takes them, the Stream, Consumer and
KeyValue manifests of the NACK controller, and what terraform show -json writes of the provider nats-io/jetstream, from
a state or from a plan. Prints one spec on stdout. What has no place in a spec, and what the server
would refuse, is named on stderr. Asks no server and changes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> stream.json consumer.json > osapi-ops.yaml',
    'nats stream info REQUESTS --json | <%= config.bin %> <%= command.id %> -',
    '<%= config.bin %> <%= command.id %> config.json --stream REQUESTS',
    '<%= config.bin %> <%= command.id %> --name osapi manifests/*.yaml',
    'terraform show -json | <%= config.bin %> <%= command.id %> -',
  ];
  // It connects to nothing: the connection flags have no place here.
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override args = {
    file: Args.string({ description: 'files to convert; - is stdin', required: true, multiple: true }),
  };
  static override flags = withEnv({
    name: Flags.string({ summary: 'the name of the system; else its owner mark or its first stream' }),
    stream: Flags.string({
      summary: 'the name of a stream whose file has none, and the stream of consumers whose file does not say it',
    }),
  });

  protected async execute(): Promise<number | undefined> {
    const { name, stream } = this.flags;
    const result = await convertOperation(this.context, { files: this.args.file, name, stream });
    const { text, spec, leftOut, guessedBeside, problems } = result;
    await this.show({ spec, left_out: leftOut, problems }, text);
    if (guessedBeside)
      this.context.io.tell({ type: 'note', text: nameNote(textOf(objectOf(spec).name), guessedBeside) });
    for (const warning of convertWarnings(result)) this.context.io.tell({ type: 'warning', text: warning });
    return problems.some(({ severity }) => severity !== 'warning') ? EXIT.invalidSpec : EXIT.done;
  }
}
