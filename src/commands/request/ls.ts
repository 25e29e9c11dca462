import { Flags } from '@oclif/core';
import { printJson } from '../../lib/model/json.ts';
import type { WaitingJson } from '../../lib/model/request.ts';
import { listWaiting } from '../../lib/operations/request/ls.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { createLineWriter } from '../../lib/ui/line-writer.ts';
import { createWaitingTable } from '../../lib/ui/render/request.ts';
import { requestFlags } from '../../lib/ui/request-flags.ts';
import { durationMs } from '../../lib/ui/spec-flags.ts';

/** So many rows decide how wide the columns are. */
const SAMPLE = 500;

export default class RequestLs extends BaseCommand<typeof RequestLs> {
  static override summary = 'list the requests that wait for a worker';
  static override description =
    `Oldest first: what no worker has had yet. What was delivered already is in flight, or dead (\`dlq ls\`). Touches
nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --limit 20',
    '<%= config.bin %> <%= command.id %> --subject "requests.dns" --older-than 5m',
    '<%= config.bin %> <%= command.id %> --ndjson | jq -r .id',
  ];
  static override flags = withEnv({
    ...requestFlags,
    subject: Flags.string({ summary: 'only on this subject; * and > work', multiple: true, multipleNonGreedy: true }),
    where: Flags.string({
      summary: 'only where this holds: header:NAME=VALUE, json:.path!=VALUE; * is any text; repeatable',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'older-than': Flags.string({ summary: 'only what waits longer than this, as 5m' }),
    limit: Flags.integer({ summary: 'at most so many', min: 1 }),
    ndjson: Flags.boolean({ summary: 'a line of JSON for each, as it is read', helpGroup: 'OUTPUT' }),
  });

  protected async execute(): Promise<number | undefined> {
    const { file, queue, bucket, subject, where, limit } = this.flags;
    const older = this.flags['older-than'];
    const now = this.context.now();
    const choice = {
      file,
      queue,
      bucket,
      limit,
      subjects: subject,
      where,
      ...(older !== undefined && { before: now.getTime() - durationMs('--older-than', older) }),
    };
    const out = createLineWriter(this.flags.ndjson ? this.stdout : this.screen);
    if (this.flags.ndjson) {
      await listWaiting(this.context, choice, (one) => out.line(printJson(one)));
      await out.end();
      return 0;
    }
    if (this.output.json) {
      const all: WaitingJson[] = [];
      await listWaiting(this.context, choice, (one) => void all.push(one));
      this.print(all, '');
      return 0;
    }
    let table: ReturnType<typeof createWaitingTable> | undefined;
    const held: WaitingJson[] = [];
    const begin = async () => {
      table = createWaitingTable(held, { theme: this.output.theme, now });
      await out.line(table.header);
      for (const one of held) await out.line(table.row(one));
    };
    const { listed, more } = await listWaiting(this.context, choice, (one) => {
      if (table) return out.line(table.row(one));
      held.push(one);
      return held.length < SAMPLE ? undefined : begin();
    });
    if (!table && held.length > 0) await begin();
    await out.end();
    const what = listed === 0 ? 'nothing waits' : listed === 1 ? '1 request waits' : `${listed} requests wait`;
    this.context.io.tell({ type: 'note', text: more ? `the first ${listed}; more wait` : what });
    return 0;
  }
}
