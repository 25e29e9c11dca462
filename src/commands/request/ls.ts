import { Flags } from '@oclif/core';
import { printJson } from '../../lib/model/json.ts';
import type { WaitingJson } from '../../lib/model/request.ts';
import { readEscapes } from '../../lib/model/visible.ts';
import { type Listed, type ListOptions, listWaiting, watchWaiting } from '../../lib/operations/request/ls.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { createLineWriter } from '../../lib/ui/line-writer.ts';
import { unnotedWords } from '../../lib/ui/render/failing.ts';
import { createWaitingTable, renderWaiting, waitingWords } from '../../lib/ui/render/request.ts';
import { requestFlags } from '../../lib/ui/request-flags.ts';
import { durationMs } from '../../lib/ui/spec-flags.ts';
import { overScreen } from '../../lib/ui/text.ts';

/** So many rows decide how wide the columns are. */
const SAMPLE = 500;
/** Of each look where nobody says how many: a list without end is none to watch. */
const WATCHED = 100;

export default class RequestLs extends BaseCommand<typeof RequestLs> {
  static override summary = 'list the requests that wait for a worker';
  static override description =
    `Oldest first: what no worker has had yet. Before that what failed and is tried again, the nearest to its death first,
with its tries, when the next one is, and why the last one failed, as far as \`worker run\` wrote it down. What is dead is
in \`dlq ls\`. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --limit 20',
    '<%= config.bin %> <%= command.id %> --subject "requests.dns" --older-than 5m',
    '<%= config.bin %> <%= command.id %> --failing',
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
    failing: Flags.boolean({ summary: 'only what failed and is tried again' }),
    limit: Flags.integer({ summary: 'at most so many', min: 1 }),
    ndjson: Flags.boolean({ summary: 'a line of JSON for each, as it is read', helpGroup: 'OUTPUT' }),
    watch: Flags.boolean({ summary: 'look again and again, until Ctrl-C', exclusive: ['ndjson'] }),
    interval: Flags.string({ summary: 'how often --watch looks', default: '2s' }),
  });

  protected override get isPatient(): boolean {
    return this.flags.watch;
  }

  protected async execute(): Promise<number | undefined> {
    const { file, queue, bucket, subject, where, limit, failing } = this.flags;
    const older = this.flags['older-than'];
    const now = this.context.now();
    const choice = {
      file,
      queue,
      bucket,
      limit,
      subjects: subject?.map(readEscapes),
      where,
      failing: failing ? 'only' : 'too',
      ...(older !== undefined && { before: now.getTime() - durationMs('--older-than', older) }),
    } as const;
    if (this.flags.watch) return this.watch(choice);
    const out = createLineWriter(this.flags.ndjson ? this.stdout : this.screen);
    if (this.flags.ndjson) {
      this.tellUnnoted(await listWaiting(this.context, choice, (one) => out.line(printJson(one))));
      await out.end();
      return 0;
    }
    if (this.output.json) {
      const all: WaitingJson[] = [];
      this.tellUnnoted(await listWaiting(this.context, choice, (one) => void all.push(one)));
      this.print(all, '');
      return 0;
    }
    let table: ReturnType<typeof createWaitingTable> | undefined;
    const held: WaitingJson[] = [];
    let queued = 0;
    const begin = async () => {
      table = createWaitingTable(held, { theme: this.output.theme, width: this.output.tableWidth, now });
      await out.line(table.header);
      for (const one of held) await out.line(table.row(one));
    };
    const listed = await listWaiting(this.context, choice, (one) => {
      if (one.state === 'queued') queued += 1;
      if (table) return out.line(table.row(one));
      held.push(one);
      return held.length < SAMPLE ? undefined : begin();
    });
    if (!table && held.length > 0) await begin();
    await out.end();
    const words = waitingWords({ ...listed, queued, failing: listed.listed - queued });
    this.context.io.tell({ type: 'note', text: words });
    this.tellUnnoted(listed);
    return 0;
  }

  private tellUnnoted({ unnoted }: Listed): void {
    for (const { queue, count, withinSeconds } of unnoted)
      this.context.io.tell({ type: 'note', text: `${queue}: ${unnotedWords(count, withinSeconds)}` });
  }

  /** A screen for each look, an array under --json, else a line. */
  private async watch(choice: ListOptions): Promise<number> {
    const everyMs = durationMs('--interval', this.flags.interval);
    const isLive = this.stdout.isTTY === true && !this.output.json && this.context.env.TERM !== 'dumb';
    const { theme } = this.output;
    await watchWaiting(this.context, { limit: WATCHED, ...choice, everyMs }, (all, listed) => {
      const now = this.context.now();
      if (this.output.json) this.stdout.write(`${printJson(all)}\n`);
      else if (!isLive) this.stdout.write(`${now.toISOString()} ${renderWaiting(all, listed)}\n`);
      else {
        const [width, height] = [this.stdout.columns ?? this.output.width, this.stdout.rows ?? 24];
        this.stdout.write(overScreen(renderWaiting(all, listed, { theme, width, height, now })));
      }
    });
    // The terminal has echoed ^C: the prompt begins a line of its own.
    if (isLive) this.stdout.write('\n');
    return 0;
  }
}
