import { Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { OVERRIDES, type Override, type Plan } from '../lib/model/plan.ts';
import { applyOperation } from '../lib/operations/apply.ts';
import { undoOperation } from '../lib/operations/undo-migrate.ts';
import { planJson } from '../lib/plan/json.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderApplied, renderUndone } from '../lib/ui/render/applied.ts';
import { renderPlan } from '../lib/ui/render/plan.ts';
import { fileFlag, lockWaitFlag, lockWaitMs, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Apply extends BaseCommand<typeof Apply> {
  static override summary = 'make the server as a spec (or a saved plan) says';
  static override description =
    `Creates and updates streams, consumers and buckets, then looks again that everything took. Running it twice
changes nothing. Never touches what another spec owns, deletes nothing and loses no message unless a flag names it. What cannot be
changed in place is moved with --migrate: killed half-way, --migrate goes on and --undo-migrate goes back.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml',
    '<%= config.bin %> <%= command.id %> prod.plan',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --dry-run',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --migrate',
  ];
  static override args = specArgs('specs, or one saved plan; left out: -f, ./osapi-ops.yaml, or what was last applied');
  static override flags = withEnv({
    ...fileFlag,
    yes: Flags.boolean({ char: 'y', summary: 'do not ask; allows nothing that needs a flag of its own' }),
    'dry-run': Flags.boolean({ summary: 'stop after the plan' }),
    adopt: Flags.boolean({ summary: 'take over resources that exist and are not this system’s' }),
    prune: Flags.boolean({ summary: 'delete what is no longer in the spec' }),
    migrate: Flags.boolean({
      summary: 'move what cannot be changed in place, without loss; also goes on where that was begun',
    }),
    'undo-migrate': Flags.boolean({
      summary: 'take back what was begun to be moved, as long as the old one has its subjects',
      exclusive: [...OVERRIDES, 'dry-run'],
    }),
    'allow-replace': Flags.boolean({ summary: 'delete and make again what cannot be changed in place' }),
    'allow-data-loss': Flags.boolean({ summary: 'allow changes that delete messages' }),
    ...lockWaitFlag,
  });

  protected override readonly acts = true;

  protected async execute(): Promise<number | undefined> {
    if (this.flags['undo-migrate']) return this.undo();
    const { file, yes } = this.flags;
    const { theme, width, json, told: seen } = this.output;
    let first = true;
    const results = await applyOperation(this.context, {
      specs: namesOf(this.args.spec),
      file,
      yes,
      dryRun: this.flags['dry-run'],
      given: new Set(OVERRIDES.filter((name) => this.flags[name as 'adopt'])),
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
      show: (plans: readonly Plan[], given: ReadonlySet<Override>) => {
        const text = plans.map((plan) => renderPlan(plan, { theme, width, given })).join('\n');
        if (!json) this.stdout.write(first ? text : `\n${text}`);
        first = false;
      },
    });
    const text = results
      .filter(({ applied, changes }) => applied && changes.length > 0)
      .map(
        ({ changes, plan }) => `\n${renderApplied(changes, { theme, width, seen, unchanged: plan.summary.unchanged })}`,
      );
    const shapes = results.map(({ plan, changes, applied }) => ({ ...planJson(plan, changes), applied }));
    this.print(shapes.length === 1 ? shapes[0] : shapes, text.join(''));
    return EXIT.done;
  }

  private async undo(): Promise<number> {
    const { file, yes } = this.flags;
    const { theme, width } = this.output;
    const results = await undoOperation(this.context, {
      specs: namesOf(this.args.spec),
      file,
      yes,
      lockWaitMs: lockWaitMs(this.flags['lock-wait']),
    });
    const text = results.map(({ undone }) => renderUndone(undone, { theme, width }));
    const shapes = results.map(({ plan, undone }) => ({ ...planJson(plan), applied: false, undone }));
    this.print(shapes.length === 1 ? shapes[0] : shapes, text.join(''));
    return EXIT.done;
  }
}
