import { Args, Flags } from '@oclif/core';
import { cancelRequests } from '../../lib/operations/request/cancel.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderCancelled } from '../../lib/ui/render/request.ts';
import { searchFlags, sinceFrom } from '../../lib/ui/request-flags.ts';
import { namesOf } from '../../lib/ui/spec-flags.ts';

export default class RequestCancel extends BaseCommand<typeof RequestCancel> {
  static override summary = 'take requests back that no worker has yet';
  static override description =
    `Deletes a request from its queue while it waits for its first delivery, and looks again that no worker got it. Never
touches what is in flight, answered or dead: it says so and exits 1. Asks on a terminal; without one it needs --yes.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab',
    '<%= config.bin %> <%= command.id %> 0193a1c2-7f00-7abc-8def-0123456789ab --yes --json',
  ];
  static override args = {
    id: Args.string({ description: 'the ids of the requests', multiple: true, required: true }),
  };
  static override flags = withEnv({
    ...searchFlags,
    yes: Flags.boolean({ char: 'y', summary: 'delete without asking; needed where nobody can be asked' }),
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const { file, queue, bucket, yes } = this.flags;
    const since = sinceFrom(this.flags, this.context.now());
    const ids = namesOf(this.args.id);
    const result = await cancelRequests(this.context, { ids, yes, file, queue, bucket, ...since });
    this.print(result, renderCancelled(result.entries, this.output.theme));
    return 0;
  }
}
