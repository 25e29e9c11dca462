import { canonicalDesired, type StreamLookup } from '../canonical/resource.ts';
import { canonicalValue } from '../canonical/value.ts';
import type { FieldTable } from '../facts/fields.ts';
import { type Config, equalJson, type Json } from '../model/json.ts';
import type { Filled } from '../model/plan.ts';
import { type DesiredResource, keyOf, type ResourceKey } from '../model/resource.ts';

/**
 * A desired configuration with what this server fills in where its own configuration lowers a default, as it answered
 * when the resource was written last. What the spec writes stands.
 */
export const withFilled = (resource: DesiredResource, filled: Filled | undefined): Config => ({
  ...filled?.[keyOf(resource)],
  ...resource.config,
});

/**
 * Where a server's answers to writes show other defaults than the table's: `limits {}` of its configuration lowers
 * some, and nothing in its API says so. What was not written now is as it was before.
 */
export function findFilled(
  resources: readonly DesiredResource[],
  answers: ReadonlyMap<ResourceKey, Config>,
  before: Filled | undefined,
  context: { readonly table: FieldTable; readonly streamOf: StreamLookup },
): Filled {
  const found: Record<ResourceKey, Config> = {};
  for (const resource of resources) {
    const key = keyOf(resource);
    const answer = answers.get(key);
    const config = answer
      ? lowered(resource, answer, context)
      : Object.fromEntries(Object.entries(before?.[key] ?? {}).filter(([name]) => resource.config[name] === undefined));
    if (Object.keys(config).length > 0) found[key] = config;
  }
  return found;
}

function lowered(
  resource: DesiredResource,
  answer: Config,
  { table, streamOf }: { readonly table: FieldTable; readonly streamOf: StreamLookup },
): Config {
  const expected = canonicalDesired(resource, table, streamOf);
  const fields = table[resource.kind].filter(({ name, lowers }) => lowers && !(name in resource.config));
  return Object.fromEntries(
    fields.flatMap(({ name, type }): [string, Json][] => {
      const value = canonicalValue(type, answer[name]);
      return value === undefined || equalJson(value, expected[name]) ? [] : [[name, value]];
    }),
  );
}
