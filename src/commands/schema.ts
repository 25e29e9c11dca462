import { schemaOperation } from '../lib/operations/schema.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { outputFlags } from '../lib/ui/flags.ts';

export default class Schema extends BaseCommand<typeof Schema> {
  static override summary = 'print the JSON Schema of a spec, for editors';
  static override description = `Made from the same tables as the checks. A spec names it on its first line:
# yaml-language-server: $schema=./spec.schema.json`;
  static override examples = ['<%= config.bin %> <%= command.id %> > spec.schema.json'];
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;

  protected async execute(): Promise<undefined> {
    const schema = schemaOperation();
    await this.show(schema, JSON.stringify(schema, null, 2));
  }
}
