import { Flags } from '@oclif/core';
import { EXIT } from '../lib/errors/codes.ts';
import { planOperation } from '../lib/operations/plan.ts';
import { planJson } from '../lib/plan/json.ts';
import { BaseCommand } from '../lib/ui/base-command.ts';
import { withEnv } from '../lib/ui/flags.ts';
import { renderPlan } from '../lib/ui/render/plan.ts';
import { LONGEST_COMMENT, renderPlanMarkdown } from '../lib/ui/render/plan-markdown.ts';
import { annotate } from '../lib/ui/report.ts';
import { fileFlag, namesOf, specArgs } from '../lib/ui/spec-flags.ts';

export default class Plan extends BaseCommand<typeof Plan> {
  static override summary = 'show how the server differs from a spec, and what applying it would mean';
  static override description =
    `Compares field by field and tells whether the spec or the server changed since it was last applied. Names what
cannot be changed in place and counts the messages a change would delete. Changes nothing on the server. Of a saved plan
it shows what is in the file, and asks no server.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> config/prod.yaml',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --out prod.plan',
    '<%= config.bin %> <%= command.id %> config/prod.yaml --detailed-exitcode --markdown > comment.md',
    '<%= config.bin %> <%= command.id %> prod.plan --markdown',
  ];
  static override args = specArgs(
    'specs, or one saved plan; - is stdin; left out: -f, ./osapi-ops.yaml, or what was last applied',
  );
  static override flags = withEnv({
    ...fileFlag,
    out: Flags.string({ char: 'o', summary: 'save the plan to this file, for `apply FILE`; - is stdout' }),
    prune: Flags.boolean({ summary: 'also plan to delete what is no longer in the spec' }),
    'detailed-exitcode': Flags.boolean({ summary: 'exit 2 where changes are pending' }),
    markdown: Flags.boolean({ summary: 'print it as a comment for a pull request' }),
  });

  protected async execute(): Promise<number | undefined> {
    const { file, out, prune, markdown } = this.flags;
    const { plans, pending, refused, saved } = await planOperation(this.context, {
      specs: namesOf(this.args.spec),
      file,
      out,
      prune,
    });
    const { theme, width } = this.output;
    // Together they are one comment.
    const view = { theme, width, maxLength: Math.floor(LONGEST_COMMENT / plans.length) };
    const text = plans.map((plan) => (markdown ? renderPlanMarkdown(plan, view) : renderPlan(plan, view)));
    if (saved !== undefined) this.stdout.write(saved);
    else
      await this.show(plans.length === 1 ? planJson(plans[0]!) : plans.map((plan) => planJson(plan)), text.join('\n'));
    annotate(refused.map((problem) => ({ ...problem, severity: 'warning' })));
    return pending && this.flags['detailed-exitcode'] ? EXIT.pending : EXIT.done;
  }
}
