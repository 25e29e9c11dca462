import { OpsError } from '../errors/ops-error.ts';
import type { Context } from '../model/context.ts';
import type { Spec } from '../model/spec.ts';
import { chooseSources, loadForWork, type SpecChoice } from './spec-source.ts';

/** The spec whose limits are taken; without one, rules and panels are for every system. Asks no server. */
async function specOf(context: Context, choice: SpecChoice): Promise<Spec | undefined> {
  const [source, second] = chooseSources(context, choice);
  if (second !== undefined) {
    throw new OpsError('USAGE', 'monitoring takes one spec', { hints: ['run it once for each spec'] });
  }
  if (source !== undefined) return (await loadForWork(context, source)).spec;
  context.io.tell({ type: 'note', text: 'no spec was named: this is for every system, with the limits of status' });
  return undefined;
}

/** Alert rules for Prometheus, as YAML. @throws OpsError USAGE, SPEC_* */
export async function alertsOperation(
  context: Context,
  choice: SpecChoice,
  docs?: string,
): Promise<{ rules: object; text: string }> {
  const spec = await specOf(context, choice);
  const [{ alertRules }, { stringify }] = await Promise.all([import('../monitoring/alerts.ts'), import('yaml')]);
  const rules = alertRules(spec, docs);
  return { rules, text: stringify(rules, { lineWidth: 0 }) };
}

/** A dashboard for Grafana. @throws OpsError USAGE, SPEC_* */
export async function grafanaOperation(context: Context, choice: SpecChoice): Promise<object> {
  const spec = await specOf(context, choice);
  const { grafanaDashboard } = await import('../monitoring/dashboard.ts');
  return grafanaDashboard(spec) as object;
}
