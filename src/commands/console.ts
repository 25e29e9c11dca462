import { join } from 'node:path';
import { Flags } from '@oclif/core';
import { serveConsole } from '../lib/console/host.ts';
import { openBrowser } from '../lib/console/open.ts';
import { ownToken, remoteNames } from '../lib/console/token.ts';
import { OpsError } from '../lib/errors/ops-error.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { keepHeapSmall } from '../lib/ui/small-heap.ts';
import { fileFlag, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Console extends BaseCommand<typeof Console> {
  static override summary = 'see the queues and bring dead letters back, in the browser';
  static override description =
    `Serves a page on this machine alone, and prints the address that opens it; Ctrl-C ends it. It does what the other
commands do, with the rights of the same NATS user, and shows the line to type for each. The address is good once: then
the next is printed. Nothing acts by itself, and --read-only takes all actions away.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --open',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --read-only --port 8222',
  ];
  static override args = specArgs('specs; left out: -f, ./osapi-ops.yaml, or all that was applied to the server');
  static override flags = withEnv({
    ...fileFlag,
    port: Flags.integer({ summary: 'the port; a free one where left out', min: 0, max: 65_535, default: 0 }),
    open: Flags.boolean({ summary: 'open it in the browser' }),
    'read-only': Flags.boolean({ summary: 'only look: no action is there' }),
    transform: Flags.string({
      summary: 'a module that a replay may use, as for dlq replay; the page names no other; repeatable',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'allow-remote': Flags.string({
      summary: 'also answer under this host name or address of the machine; needs a token of your own; repeatable',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'token-file': Flags.string({ summary: 'a file with a token of your own, else OSAPI_OPS_CONSOLE_TOKEN' }),
  });

  protected override readonly acts = true;

  protected override get isPatient(): boolean {
    return true;
  }

  protected async execute(): Promise<undefined> {
    // Lists of a million rows go through it.
    keepHeapSmall();
    const { file, port, open, transform = [] } = this.flags;
    const named = namesOf(this.args.spec);
    const specs = named.length > 0 ? named : file === undefined ? [] : [file];
    if (specs.includes('-')) {
      throw new OpsError('USAGE', 'a console reads its specs again and again: - is read once', {
        where: 'SPEC',
        hints: ['name a file'],
      });
    }
    const { tell } = this.context.io;
    const token = await ownToken(this.context, this.flags['token-file']);
    const remote = remoteNames(this.flags['allow-remote'] ?? [], token);
    if (remote.length > 0) {
      const text = `listening on all interfaces, without encryption: who has the token may do what this NATS user may, from wherever ${remote.join(', ')} is reached`;
      tell({ type: 'warning', text });
    }
    await serveConsole(this.context, {
      specs,
      port,
      readOnly: this.flags['read-only'],
      remote,
      ...(token !== undefined && { token }),
      transforms: transform,
      pages: join(this.config.root, 'dist', 'console'),
      onAddress: (address, isFirst) => {
        if (!isFirst) {
          if (token === undefined) tell({ type: 'note', text: `opened; for another browser: ${address}` });
          return;
        }
        this.print({ url: address }, address);
        if (open)
          void openBrowser(address).then((isOpen) => isOpen || tell({ type: 'note', text: 'no browser was found' }));
      },
    });
  }
}
