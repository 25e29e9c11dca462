import { Args } from '@oclif/core';
import { explainOperation } from '../lib/operations/explain.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { outputFlags } from '../lib/ui/flags.ts';
import { renderExplanations } from '../lib/ui/render/explain.ts';

export default class Explain extends BaseCommand<typeof Explain> {
  static override summary = 'say what a key of the spec is and what changing it does, or what a code means';
  static override description =
    `From the same tables that validate, compare and judge. A path from the top, with the names of
resources or without, or its last words alone. A code of an error, a check, a rule or a plan's finding has its page printed. Asks no server.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> queues.consumers.backoff',
    '<%= config.bin %> <%= command.id %> max_age',
    '<%= config.bin %> <%= command.id %> CONN_UNREACHABLE',
    '<%= config.bin %> <%= command.id %>',
  ];
  static override args = {
    path: Args.string({
      description: 'a key, as queues.consumers.backoff or max_age, or a code; left out: the keys at the top',
    }),
  };
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;

  protected async execute(): Promise<undefined> {
    const explanations = explainOperation(this.args.path, this.config.root);
    await this.show(explanations, renderExplanations(explanations, this.output));
  }
}
