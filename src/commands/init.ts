import { Args, Flags } from '@oclif/core';
import { toType } from '../lib/model/shell.ts';
import { initOperation } from '../lib/operations/init.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { convertWarnings } from '../lib/ui/render/converted.ts';

const GROUP = 'ANSWERS';

export default class Init extends BaseCommand<typeof Init> {
  static override summary = 'write a commented spec to begin with';
  static override description = `Writes osapi-ops.yaml into DIR, and the JSON Schema that lets an editor complete it.
Asks on a terminal; elsewhere, and with --yes, what no flag answers takes its default. Overwrites nothing without
--force. With --from-server it writes what is live. Changes no server.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --from-server',
    '<%= config.bin %> <%= command.id %> orders --yes --name orders --queue ORDERS --subjects "orders.>"',
  ];
  static override args = {
    dir: Args.string({ description: 'the directory to write into', default: '.' }),
  };
  static override flags = withEnv({
    yes: Flags.boolean({ char: 'y', summary: 'take the default of every answer that no flag gives' }),
    'from-server': Flags.boolean({ summary: 'write what is live instead; --name chooses among several systems' }),
    force: Flags.boolean({ summary: 'overwrite a spec that is there' }),
    name: Flags.string({ summary: 'the system’s name, the owner mark of what it manages', helpGroup: GROUP }),
    queue: Flags.string({ summary: 'the stream that keeps requests', helpGroup: GROUP }),
    subjects: Flags.string({ summary: 'the subjects it takes, commas between', helpGroup: GROUP }),
    consumer: Flags.string({ summary: 'the consumer that workers pull from', helpGroup: GROUP }),
    'max-deliver': Flags.string({ summary: 'how often a failing request is tried', helpGroup: GROUP }),
    backoff: Flags.string({ summary: 'the waits between tries, as 5s,10s,15s', helpGroup: GROUP }),
    'max-msgs': Flags.string({ summary: 'how many requests may wait', helpGroup: GROUP }),
    replicas: Flags.string({ summary: 'copies in a cluster: 1, 3 or 5', helpGroup: GROUP }),
    dlq: Flags.string({ summary: 'the stream that notes dead requests, or none', helpGroup: GROUP }),
    responses: Flags.string({ summary: 'the bucket that keeps responses, or none', helpGroup: GROUP }),
    ttl: Flags.string({ summary: 'how long a response is kept', helpGroup: GROUP }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const {
      yes,
      force,
      'from-server': fromServer,
      'max-deliver': maxDeliver,
      'max-msgs': maxMsgs,
      ...flags
    } = this.flags;
    const { name, queue, subjects, consumer, backoff, replicas, dlq, responses, ttl } = flags;
    const answers = { name, queue, subjects, consumer, maxDeliver, backoff, maxMsgs, replicas, dlq, responses, ttl };
    const result = await initOperation(this.context, { dir: this.args.dir, answers, yes, force, fromServer });
    const warnings = convertWarnings({
      problems: result.problems,
      leftOut: result.leftOut.map(({ resource, what }) => ({ file: resource, path: '', why: what })),
    });
    for (const text of warnings) this.context.io.tell({ type: 'warning', text });
    const next = `Wrote ${result.written.join(' and ')}.\nNext: ${toType`osapi-ops plan ${result.path}`}`;
    this.print({ system: result.system, path: result.path, written: result.written }, next);
    return 0;
  }
}
