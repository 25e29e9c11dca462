import { basename } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { SHELLS, type Shell } from '../lib/ui/completion.ts';
import { SCRIPTS, SETUP } from '../lib/ui/completion-scripts.ts';
import { outputFlags } from '../lib/ui/flags.ts';

export default class Autocomplete extends BaseCommand<typeof Autocomplete> {
  static override summary = 'let the shell complete commands, flags, queues, ids, contexts, files';
  static override description =
    `Prints the script that makes Tab complete, or without SHELL how to turn it on in the shell you use. At each Tab the
script asks osapi-ops, which looks at the server that the line is about for at most a second, changes nothing, and is
silent where it finds nothing. It never asks a server that only a spec lying in the folder names.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> bash > osapi-ops.bash',
    '<%= config.bin %> <%= command.id %> fish > osapi-ops.fish',
  ];
  static override baseFlags = outputFlags as typeof BaseCommand.baseFlags;
  static override args = {
    shell: Args.string({ description: 'the shell that is to complete', options: [...SHELLS] }),
  };

  protected async execute(): Promise<undefined> {
    const named = this.args.shell as Shell | undefined;
    const own = basename(this.context.env.SHELL ?? '');
    const shell = named ?? SHELLS.find((one) => one === own) ?? (this.config.windows ? 'powershell' : 'bash');
    const { line, file } = SETUP[shell];
    const how = `Add this line to ${file}, and open a new shell:\n\n  ${line}\n`;
    const others = SHELLS.filter((one) => one !== shell).join(', ');
    this.print(
      { shell, setup: line, file, script: SCRIPTS[shell] },
      named ? SCRIPTS[named] : `${how}\nFor another shell: osapi-ops autocomplete SHELL (${others}).\n`,
    );
    if (named && this.stdout.isTTY) this.context.io.tell({ type: 'note', text: how });
  }
}
