import { Args, Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { exportOperation } from '../lib/operations/export.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { namesOf } from '../lib/ui/spec-flags.ts';

export default class Export extends BaseCommand<typeof Export> {
  static override summary = 'write what is live as a spec, as NACK manifests or for Terraform';
  static override description =
    `Prints a spec of the named streams, buckets or system, else of the one system that is live, else of everything in
the account. A workqueue becomes a queue with its dead letters and its responses. --to writes the same resources as
manifests of the NACK controller, or as resources of the Terraform provider nats-io/jetstream with import blocks
(Terraform 1.5 and newer). What has no place there is named on stderr. Changes nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> > osapi-ops.yaml',
    '<%= config.bin %> <%= command.id %> REQUESTS responses',
    '<%= config.bin %> <%= command.id %> --to terraform > jetstream.tf',
  ];
  static override args = {
    name: Args.string({ description: 'streams, buckets or a system', multiple: true, required: false }),
  };
  static override flags = withEnv({
    to: Flags.option({ options: ['nack', 'terraform'] as const })({ summary: 'write for another tool, not a spec' }),
  });

  protected async execute(): Promise<number | undefined> {
    const { to } = this.flags;
    const result = await exportOperation(this.context, { names: namesOf(this.args.name), ...(to && { to }) });
    const { text, spec, resources, leftOut } = result;
    await this.show({ spec, ...(resources && { resources }), left_out: leftOut }, text);
    const place = to ? `what is written for ${to}` : 'the spec';
    for (const { resource, what } of leftOut) {
      this.context.io.tell({ type: 'warning', text: `${resource} is not wholly in ${place}: ${what}` });
    }
    return EXIT.done;
  }
}
