import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { unansweredError } from '../../lib/operations/request/get.ts';
import { type SendOptions, sendMany, sendOne } from '../../lib/operations/request/send.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { createLineWriter } from '../../lib/ui/line-writer.ts';
import { fetchedJson, renderResponse, renderState } from '../../lib/ui/render/request.ts';
import { requestFlags } from '../../lib/ui/request-flags.ts';
import { durationMs } from '../../lib/ui/spec-flags.ts';

/** How long `--wait` waits where `--timeout` does not say. */
const PATIENCE = '30s';

export default class RequestSend extends BaseCommand<typeof RequestSend> {
  static override summary = 'put a request into the queue, and print its id or its response';
  static override description =
    `Publishes on the queue's subject for KIND (dns becomes requests.dns) with the id as Nats-Msg-Id and in the payload.
Sending the same --id again inside the queue's duplicate window stores nothing twice. Exits 2 where --wait is over and
the request is still on its way.`;
  static override examples = [
    `<%= config.bin %> <%= command.id %> dns '{"query":"example.com"}'`,
    `<%= config.bin %> <%= command.id %> dns '{"query":"localhost"}' --wait --timeout 5s`,
    '<%= config.bin %> <%= command.id %> dns --ndjson --input requests.ndjson --rejects unsent.ndjson',
  ];
  static override args = {
    kind: Args.string({ description: 'the kind of request: the open part of the subject', required: true }),
    json: Args.string({ description: 'the payload, a JSON object; - reads it from stdin' }),
  };
  static override flags = withEnv({
    ...requestFlags,
    input: Flags.string({ char: 'i', summary: 'the file with the payload; - is stdin' }),
    ndjson: Flags.boolean({
      summary: 'each line of the input is a request of its own',
      exclusive: ['id', 'raw', 'wait'],
    }),
    rejects: Flags.string({ summary: 'a new file for the lines that were not stored', dependsOn: ['ndjson'] }),
    id: Flags.string({ summary: 'the id of the request; makes sending it again harmless' }),
    raw: Flags.boolean({ summary: 'send the bytes as they are, JSON or not; the id is in the header only' }),
    header: Flags.string({
      char: 'H',
      summary: 'a header, as Name:value; may be repeated',
      multiple: true,
      multipleNonGreedy: true,
    }),
    subject: Flags.string({ summary: 'the whole subject, instead of what KIND means' }),
    wait: Flags.boolean({ char: 'w', summary: `wait for the response, for --timeout (${PATIENCE} where left out)` }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const { file, queue, bucket, input, subject, header = [], rejects } = this.flags;
    const base: SendOptions = {
      kind: this.args.kind,
      source: { argument: this.args.json, input, stdin: this.stdin },
      file,
      queue,
      bucket,
      subject,
      headers: header,
    };
    return this.flags.ndjson ? this.many({ ...base, rejects }) : this.one(base);
  }

  private async one(base: SendOptions): Promise<number> {
    const { id, raw, wait, timeout } = this.flags;
    const { tell } = this.context.io;
    const { sent, fetched } = await sendOne(this.context, {
      ...base,
      id,
      raw,
      ...(wait && { waitMs: durationMs('--timeout', timeout ?? PATIENCE) }),
    });
    const had = `${sent.queue} had ${sent.id} already as ${sent.seq}: nothing was stored twice`;
    if (!fetched) {
      tell({ type: 'note', text: sent.duplicate ? had : `stored in ${sent.queue} as ${sent.seq} (${sent.subject})` });
      this.print(sent, `${sent.id}\n`);
      return EXIT.done;
    }
    const shape = { ...sent, ...fetchedJson(fetched), seq: sent.seq, subject: sent.subject };
    const failure = unansweredError(fetched, shape);
    if (failure) throw failure;
    if (fetched.response && !this.output.json) {
      this.stdout.write(renderResponse(fetched.response, this.stdout.isTTY === true));
    } else this.print(shape, `${sent.id}\n`);
    if (fetched.status.state === 'answered') return EXIT.done;
    tell({ type: 'warning', text: `no response yet: ${sent.id} is ${renderState(fetched.status)}` });
    return EXIT.pending;
  }

  private async many(base: SendOptions & { readonly rejects?: string }): Promise<number> {
    const out = createLineWriter(this.stdout);
    const { json } = this.output;
    const result = await sendMany(this.context, { ...base, onId: (id) => (json ? undefined : out.line(id)) }).finally(
      () => out.end(),
    );
    this.context.io.tell({ type: 'note', text: `${result.sent} sent, ${result.duplicates} there already` });
    this.print(result, '');
    return EXIT.done;
  }
}
