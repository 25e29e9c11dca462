import { OpsError, type Problem } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Finding, Override, Plan } from '../../model/plan.ts';
import { type Desired, keyOf } from '../../model/resource.ts';
import { planJson } from '../../plan/json.ts';
import { refusals } from '../../risk/judge.ts';
import { UNFINISHED } from '../../risk/migrate.ts';
import type { Prepared } from './prepare.ts';

/** What stands in a plan's way, each with the place in the spec that declares its resource. */
export function problemsOf(standing: readonly Finding[], { resources }: Desired): Problem[] {
  const wanted = new Map(resources.map((each) => [keyOf(each), each]));
  return standing.map(({ code, message, hint, field, resource, needs, unless }) => ({
    code,
    path: field === undefined ? resource : `${resource} ${field}`,
    message,
    ...(needs !== undefined && {
      why: unless === undefined ? `Refused without --${needs}.` : `So without --${unless}, by --${needs}.`,
    }),
    ...(unless === undefined && { hint }),
    ...wanted.get(resource)?.positionOf?.(field),
  }));
}

const isImmutable = ({ needs }: Finding): boolean => needs === 'migrate' || needs === 'allow-replace';
const WAYS = 'docs/how-to/immutable-field.md, which ships with the package, has each way with what it costs';

/** Whoever asked for a move is told why there is none, before what it costs to do without. */
const whyUnmoved = ({ findings }: Plan, { resource, needs }: Finding): Finding | undefined =>
  needs === 'allow-replace'
    ? findings.find((one) => one.code === 'RISK_MIGRATE' && one.severity === 'info' && one.resource === resource)
    : undefined;

/** Refuses a plan while something stands in its way that no given flag allows. @throws OpsError RISK_REFUSED, PLAN_REFUSED */
export function requireAllowed(
  { plan, desired }: Pick<Prepared, 'plan' | 'desired'>,
  given: ReadonlySet<Override>,
): void {
  const standing = refusals(plan, given);
  if (standing.length === 0) return;
  const flagsOf = (some: readonly Finding[]) => [
    ...new Set(some.flatMap(({ needs }) => (needs ? [`--${needs}`] : []))),
  ];
  // What would be so without a flag that is asked for anyway stands in nobody's way.
  const [main, instead] = [true, false].map((isMain) => standing.filter(({ unless }) => !unless === isMain));
  const hopeless = main!.filter(({ needs }) => !needs);
  const unfinished = main!.flatMap(({ code, hint }) => (code === UNFINISHED && hint ? [hint] : []));
  const first = hopeless[0] ?? main![0] ?? standing[0]!;
  const flag = first.needs ? `; refused without --${first.needs}` : '';
  const unmoved = given.has('migrate') ? whyUnmoved(plan, first) : undefined;
  const more = main!.length > 1 ? ` (and ${main!.length - 1} more)` : '';
  throw new OpsError(
    hopeless.length > 0 ? 'PLAN_REFUSED' : 'RISK_REFUSED',
    `${(unmoved ?? first).message}${flag}${more}`,
    {
      where: `${plan.system} on ${plan.target.url}`,
      why: 'Nothing was touched.',
      hints:
        hopeless.length > 0
          ? [first.hint ?? 'change the spec so that the server can take it']
          : [
              ...(unmoved?.hint ? [unmoved.hint] : []),
              ...(unfinished.length > 0
                ? unfinished
                : [
                    `${unmoved ? 'or have it deleted and made again, with' : 'if that is what you want, say so with'} ${flagsOf(main!).join(' and ')}`,
                  ]),
              ...(instead!.length > 0
                ? [`or have it deleted and made again, with ${flagsOf(instead!).join(' and ')}`]
                : []),
              ...(standing.some(isImmutable) ? [WAYS] : []),
            ],
      problems: problemsOf(standing, desired),
      result: { ...planJson(plan), applied: false },
    },
  );
}

/** True where a plan removes something, or messages with it. */
const destroys = (plan: Plan): boolean =>
  plan.changes.some(({ action }) => action === 'delete' || action === 'replace') ||
  plan.findings.some(
    ({ needs, severity, unless }) => severity === 'refuse' && needs === 'allow-data-loss' && unless === undefined,
  );

/** Whether there is a person to ask, and `--yes` did not answer before. */
export const isAsked = ({ io }: Context, { yes }: { readonly yes: boolean }): boolean => io.interactive && !yes;

/** Asks a person where there is one, unless `--yes` answered before. @throws OpsError NOT_CONFIRMED */
export async function agreeToPlans(
  context: Context,
  plans: readonly Plan[],
  options: { readonly yes: boolean },
): Promise<void> {
  const pending = plans.filter((plan) => plan.changes.length > 0);
  if (pending.length === 0 || !isAsked(context, options)) return;
  const where = [...new Set(pending.map((plan) => `${plan.system} on ${plan.target.url}`))].join(', ');
  const isAgreed = await context.io.ask({
    type: 'confirm',
    text: `Apply this to ${where}?`,
    fallback: !pending.some(destroys),
  });
  if (isAgreed) return;
  throw new OpsError('NOT_CONFIRMED', 'not confirmed', {
    where,
    why: 'Nothing was touched.',
    hints: ['run it again and answer yes, or give --yes'],
  });
}
