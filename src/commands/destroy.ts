import { Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import type { Plan } from '../lib/model/plan.ts';
import { destroyOperation } from '../lib/operations/destroy.ts';
import { planJson } from '../lib/plan/json.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderApplied } from '../lib/ui/render/applied.ts';
import { renderPlan } from '../lib/ui/render/plan.ts';
import { fileFlag, lockWaitFlag, lockWaitMs, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Destroy extends BaseCommand<typeof Destroy> {
  static override summary = 'remove what a spec owns, and nothing else';
  static override description =
    `Deletes every stream, consumer and bucket that carries the owner mark of the spec's system, with the messages in
them. What has no mark or another one stays, also where the spec names it. The history of the system stays.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/dev.yaml',
    '<%= config.bin %> <%= command.id %> config/dev.yaml --dry-run',
    '<%= config.bin %> <%= command.id %> config/dev.yaml --yes',
  ];
  static override args = specArgs('specs; left out: -f or ./osapi-ops.yaml');
  static override flags = withEnv({
    ...fileFlag,
    yes: Flags.boolean({ char: 'y', summary: 'do not ask for the system’s name; needed where nobody can be asked' }),
    'dry-run': Flags.boolean({ summary: 'only show what would be removed' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    const { file, yes } = this.flags;
    const { theme, width, json, told: seen } = this.output;
    const results = await destroyOperation(this.context, {
      specs: namesOf(this.args.spec),
      file,
      yes,
      dryRun: this.flags['dry-run'],
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
      show: (plans: readonly Plan[]) => {
        if (!json) this.stdout.write(plans.map((plan) => renderPlan(plan, { theme, width })).join('\n'));
      },
    });
    const text = results
      .filter(({ applied, changes }) => applied && changes.length > 0)
      .map(({ changes }) => `\n${renderApplied(changes, { theme, width, seen, unchanged: 0, verb: 'Destroyed' })}`);
    const shapes = results.map(({ plan, changes, applied }) => ({ ...planJson(plan, changes), applied }));
    this.print(shapes.length === 1 ? shapes[0] : shapes, text.join(''));
    return EXIT.done;
  }
}
