import { Args, Flags } from '@oclif/core';
import { OpsError } from '../../lib/errors/ops-error.ts';
import { showDeadLetter } from '../../lib/operations/dlq/show.ts';
import { BaseCommand } from '../../lib/ui/base-command.ts';
import { choiceFrom, dlqFilterFlags } from '../../lib/ui/dlq-flags.ts';
import { withEnv } from '../../lib/ui/flags.ts';
import { renderDeadLetter } from '../../lib/ui/render/dlq-show.ts';
import { namesOf } from '../../lib/ui/spec-flags.ts';

export default class DlqShow extends BaseCommand<typeof DlqShow> {
  static override summary = 'show one dead letter: what happened to it, its headers and its payload';
  static override description =
    `The id may be short where it is clear: REQUESTS/worker/17, worker/17 or 17. JSON is printed with line breaks, binary
as a dump; control characters in either do nothing to the terminal. Touches nothing.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQUESTS/request-worker/17',
    '<%= config.bin %> <%= command.id %> 17 --raw > payload.bin',
    '<%= config.bin %> <%= command.id %> 17 --json',
    '<%= config.bin %> <%= command.id %> --where "subject=requests.*"',
  ];
  static override args = {
    id: Args.string({ description: 'which one; the newest that --where chooses, where left out' }),
  };
  static override flags = withEnv({
    file: dlqFilterFlags.file,
    queue: dlqFilterFlags.queue,
    consumer: dlqFilterFlags.consumer,
    where: dlqFilterFlags.where,
    raw: Flags.boolean({ summary: "write the payload's bytes and nothing else", helpGroup: 'OUTPUT' }),
  });

  protected async execute(): Promise<number | undefined> {
    if (this.args.id === undefined && !this.flags.where?.length) throw noneNamed();
    const { letter, payload } = await showDeadLetter(this.context, {
      ...choiceFrom(this.flags, namesOf(this.args.id), this.context.now()),
    });
    if (this.flags.raw && !this.output.json) {
      if (!payload) throw nothingLeft(letter.id);
      this.stdout.write(payload);
      return;
    }
    await this.show(letter, renderDeadLetter(letter, payload, this.output));
  }
}

const noneNamed = (): OpsError =>
  new OpsError('USAGE', 'which dead letter is not said', {
    where: 'ID',
    hints: ['name its id, as `osapi-ops dlq ls` prints it', 'or what it has in common with others: --where KEY=VALUE'],
  });

const nothingLeft = (id: string): OpsError =>
  new OpsError('NOT_FOUND', `nothing is left of the message of ${id}`, {
    where: id,
    why: 'Its original is gone from the stream, and its advisory carries no payload.',
    hints: ['`osapi-ops dlq show` without --raw tells what is known of it'],
  });
