import { Args } from '@oclif/core';
import { unansweredError } from '../../lib/operations/request/get.ts';
import { showRequest } from '../../lib/operations/request/show.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { bytesJson, renderTimeline } from '../../lib/ui/render/request.ts';
import { searchFlags, sinceFrom } from '../../lib/ui/request-flags.ts';

export default class RequestShow extends BaseCommand<typeof RequestShow> {
  static override summary = 'draw the life of a request: published, deliveries, failures, death, replay, answer';
  static override description = `What the server and the workers recorded, in the order of time. Deliveries that nobody
recorded are computed from the consumer's backoff and marked so. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab',
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab --json | jq .timeline',
  ];
  static override args = { id: Args.string({ description: 'the id of the request', required: true }) };
  static override flags = withEnv({ ...searchFlags });

  protected async execute(): Promise<number | undefined> {
    const { file, queue, bucket } = this.flags;
    const since = sinceFrom(this.flags, this.context.now());
    const { shown, status, payload, response } = await showRequest(this.context, {
      id: this.args.id,
      file,
      queue,
      bucket,
      ...since,
    });
    const failure = status.state === 'unknown' ? unansweredError({ status }, shown, since.since) : undefined;
    if (failure) throw failure;
    const shape = { ...shown, ...bytesJson('payload', payload), ...bytesJson('response', response) };
    await this.show(shape, renderTimeline(shown, this.output));
    return 0;
  }
}
