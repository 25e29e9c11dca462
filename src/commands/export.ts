import { Args } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { exportOperation } from '../lib/operations/export.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { namesOf } from '../lib/ui/spec-flags.ts';

export default class Export extends BaseCommand<typeof Export> {
  static override summary = 'write what is live as a spec';
  static override description =
    `Prints a spec of the named streams, buckets or system, else of the one system that is live, else of everything in
the account. A workqueue becomes a queue with its dead letters and its responses. Changes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> > osapi-ops.yaml',
    '<%= config.bin %> <%= command.id %> REQUESTS responses',
  ];
  static override args = {
    name: Args.string({ description: 'streams, buckets or a system', multiple: true, required: false }),
  };

  protected async execute(): Promise<number | undefined> {
    const { text, spec, leftOut } = await exportOperation(this.context, { names: namesOf(this.args.name) });
    await this.show({ spec, left_out: leftOut }, text);
    for (const { resource, what } of leftOut) {
      this.context.io.tell({ type: 'warning', text: `${resource} is not wholly in the spec: ${what}` });
    }
    return EXIT.done;
  }
}
