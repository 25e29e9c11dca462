import { Args, Flags } from '@oclif/core';
import { exportDeadLetters, exportToFile } from '../../lib/operations/dlq/export.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { createLineWriter } from '../../lib/ui/line-writer.ts';
import { keepHeapSmall } from '../../lib/ui/small-heap.ts';
import { namesOf } from '../../lib/ui/spec-flags.ts';

export default class DlqExport extends BaseCommand<typeof DlqExport> {
  static override summary = 'write dead letters as an archive: a line of JSON each, with everything there is of them';
  static override description =
    `Each line holds the entry, its records in the DLQ and its message byte for byte (base64), and a digest over all of
it. \`dlq import\` reads it. Oldest first, orphans last, in bounded memory. Touches nothing on the server.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --out dead.ndjson',
    '<%= config.bin %> <%= command.id %> --since 1d | gzip > dead.ndjson.gz',
    `<%= config.bin %> <%= command.id %> | jq -r '.original.payload | @base64d'`,
  ];
  static override args = {
    id: Args.string({ description: 'only these entries', multiple: true, required: false }),
  };
  static override flags = withEnv({
    out: Flags.string({ char: 'o', summary: 'write to this file, which is there only when it is whole; - is stdout' }),
    ...dlqFilterFlags,
  });

  protected async execute(): Promise<number | undefined> {
    keepHeapSmall();
    const { out } = this.flags;
    const choice = choiceFrom(this.flags, namesOf(this.args.id), this.context.now());
    if (out !== undefined && out !== '-') {
      const exported = await exportToFile(this.context, choice, out);
      this.print({ exported, file: out }, '');
      this.context.io.tell({ type: 'note', text: `${exported} dead letters written to ${out}` });
      return;
    }
    const lines = createLineWriter(this.stdout);
    const exported = await exportDeadLetters(this.context, choice, (line) => lines.line(line));
    await lines.end();
    this.context.io.tell({ type: 'note', text: `${exported} dead letters written` });
  }
}
