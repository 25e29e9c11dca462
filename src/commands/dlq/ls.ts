import { Args, Flags } from '@oclif/core';
import { type Entry, type EntryJson, entryJson } from '../../lib/model/entry.ts';
import { ENTRY_ORDERS, type EntryOrder } from '../../lib/model/entry-order.ts';
import { printJson } from '../../lib/model/json.ts';
import { listDeadLetters } from '../../lib/operations/dlq/ls.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { createLineWriter } from '../../lib/ui/line-writer.ts';
import { COLUMN_NAMES, columnsFrom, createEntryTable } from '../../lib/ui/render/dlq.ts';
import { keepHeapSmall } from '../../lib/ui/small-heap.ts';
import { namesOf } from '../../lib/ui/spec-flags.ts';

/** So many entries decide how wide the columns are. */
const SAMPLE = 500;

export default class DlqLs extends BaseCommand<typeof DlqLs> {
  static override summary = 'list dead letters: what died, why, and whether it can be replayed';
  static override description =
    `Joins each advisory with its message. An entry is replayable while its message is there, gone when it is not, and an
orphan where the queue holds a dead message that no advisory speaks of. Newest first, orphans last. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --since 2h --subject "requests.dns" --json',
    '<%= config.bin %> <%= command.id %> --state replayable --ndjson | jq -r .id',
  ];
  static override args = {
    id: Args.string({ description: 'only these entries', multiple: true, required: false }),
  };
  static override flags = withEnv({
    ...dlqFilterFlags,
    sort: Flags.string({
      summary: 'by this, the smallest first; where left out the newest death first',
      options: Object.keys(ENTRY_ORDERS),
      helpGroup: 'OUTPUT',
    }),
    reverse: Flags.boolean({ summary: 'with --sort, the largest first', dependsOn: ['sort'], helpGroup: 'OUTPUT' }),
    columns: Flags.string({
      summary: `only these, with commas between: ${COLUMN_NAMES.join(', ')}`,
      helpGroup: 'OUTPUT',
    }),
    wide: Flags.boolean({ summary: 'all columns, and nothing cut', helpGroup: 'OUTPUT' }),
    ndjson: Flags.boolean({ summary: 'a line of JSON for each entry, as it is found', helpGroup: 'OUTPUT' }),
  });

  protected async execute(): Promise<number | undefined> {
    keepHeapSmall();
    const now = this.context.now();
    const { sort, reverse, wide } = this.flags;
    const columns = this.flags.columns === undefined ? undefined : columnsFrom(this.flags.columns);
    const chosen = choiceFrom(this.flags, namesOf(this.args.id), now);
    const choice = { ...chosen, sort: sort as EntryOrder | undefined, reverse };
    const out = createLineWriter(this.flags.ndjson ? this.stdout : this.screen);
    if (this.flags.ndjson) {
      await listDeadLetters(this.context, choice, (entry) => out.line(printJson(entryJson(entry))));
      await out.end();
      return;
    }
    if (this.output.json) {
      const entries: EntryJson[] = [];
      await listDeadLetters(this.context, choice, (entry) => void entries.push(entryJson(entry)));
      this.print(entries, '');
      return;
    }
    let table: ReturnType<typeof createEntryTable> | undefined;
    const waiting: Entry[] = [];
    const begin = async () => {
      table = createEntryTable(waiting, { ...this.output, width: this.output.tableWidth, now, columns, wide });
      await out.line(table.header);
      for (const entry of waiting) await out.line(table.row(entry));
    };
    const counting = { ...choice, countAll: true };
    const { listed, all, isFiltered } = await listDeadLetters(this.context, counting, (entry) => {
      if (table) return out.line(table.row(entry));
      waiting.push(entry);
      return waiting.length < SAMPLE ? undefined : begin();
    });
    if (!table && waiting.length > 0) await begin();
    await out.end();
    if (isFiltered) return;
    const counts = Object.entries(listed).filter(([, count]) => count > 0);
    const states = counts.map(([state, count]) => `${count} ${state}`).join(', ') || 'nothing is dead';
    const text = all ? `${chosen.filter.limit} of ${all.isWhole ? '' : 'more than '}${all.count}: ${states}` : states;
    this.context.io.tell({ type: 'note', text });
  }
}
