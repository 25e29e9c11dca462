import { Args, Flags } from '@oclif/core';
import { EXIT } from '../../lib/errors/codes.ts';
import { getRequest, unansweredError } from '../../lib/operations/request/get.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { fetchedJson, renderResponse, renderState } from '../../lib/ui/render/request.ts';
import { searchFlags, sinceFrom } from '../../lib/ui/request-flags.ts';
import { durationMs } from '../../lib/ui/spec-flags.ts';

export default class RequestGet extends BaseCommand<typeof RequestGet> {
  static override summary = 'read a response, or say where its request is';
  static override description =
    `Prints the response as it is stored. Where there is none yet, tells queued, in flight, waiting for a retry, dead and
unknown apart: exits 2 while an answer may still come, 1 where none will. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab',
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab --wait 30s',
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab --json | jq .state',
  ];
  static override args = { id: Args.string({ description: 'the id of the request', required: true }) };
  static override flags = withEnv({
    ...searchFlags,
    wait: Flags.string({ char: 'w', summary: 'wait so long for the answer, as 30s; says each change of state' }),
    raw: Flags.boolean({ summary: "write the response's bytes and nothing else", helpGroup: 'OUTPUT' }),
  });

  protected async execute(): Promise<number | undefined> {
    const { wait, raw, file, queue, bucket } = this.flags;
    const since = sinceFrom(this.flags, this.context.now());
    const fetched = await getRequest(this.context, {
      id: this.args.id,
      file,
      queue,
      bucket,
      ...since,
      ...(wait !== undefined && { waitMs: durationMs('--wait', wait) }),
      onState: (status) => this.context.io.tell({ type: 'note', text: renderState(status) }),
    });
    const failure = unansweredError(fetched, fetchedJson(fetched), since.since);
    if (failure) throw failure;
    const { status, response } = fetched;
    if (response && !this.output.json) {
      this.stdout.write(raw ? response : renderResponse(response, this.stdout.isTTY === true));
    } else this.print(fetchedJson(fetched), '');
    if (status.state === 'answered') return EXIT.done;
    if (!this.output.json) this.context.io.tell({ type: 'warning', text: `no response yet: ${renderState(status)}` });
    return EXIT.pending;
  }
}
