import { Flags } from '@oclif/core';
import { historyOperation } from '../lib/operations/history.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { historyFlags } from '../lib/ui/page-flags.ts';
import { renderHistory } from '../lib/ui/render/history.ts';
import { fileFlag, momentFlag } from '../lib/ui/spec-flags.ts';

export default class History extends BaseCommand<typeof History> {
  static override summary = 'show who applied, replayed, purged what, from where, when';
  static override description =
    'Reads the records that this tool keeps on the server (bucket osapi_ops), newest first. Touches nothing.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --since 7d --verb apply --json',
  ];
  static override flags = withEnv({
    ...fileFlag,
    ...historyFlags,
    limit: Flags.integer({ summary: 'the newest so many', min: 1, default: 50 }),
  });

  protected async execute(): Promise<undefined> {
    const { file, system, since, verb, limit } = this.flags;
    const records = await historyOperation(this.context, {
      file,
      system,
      ...(since !== undefined && { since: momentFlag('--since', since, this.context.now()) }),
      verbs: verb,
      limit,
    });
    if (records.length === 0) this.context.io.tell({ type: 'note', text: 'nothing was written down' });
    await this.show(
      records,
      records.length > 0 ? renderHistory(records, { ...this.output, width: this.output.tableWidth }) : '',
    );
  }
}
