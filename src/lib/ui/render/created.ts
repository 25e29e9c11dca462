import { bucketFields } from '../../facts/bucket-fields.ts';
import type { Field } from '../../facts/field.ts';
import { FIELDS } from '../../facts/fields.ts';
import { OWN_PREFIX } from '../../facts/names.ts';
import { type Config, isObject, type Json } from '../../model/json.ts';
import type { Change, FieldChange, Plan } from '../../model/plan.ts';
import { showValue } from '../../plan/show.ts';

/**
 * The fields to show of a change. A creation has no differences to tell: what it sends is shown instead, in the spec's
 * words and order, without the owner mark and what every bucket's stream has.
 */
export function shownFields(plan: Plan, change: Change, index: number): readonly FieldChange[] {
  if (change.action !== 'create' || change.fields.length > 0) return change.fields;
  const sent = plan.steps.findLast((step) => step.change === index && step.verb === 'create')?.configs.at(-1);
  if (!sent) return [];
  const columns =
    change.kind === 'bucket' ? bucketFields : FIELDS[change.kind].map((field) => ({ ...field, stream: field.name }));
  return columns.flatMap((field): FieldChange[] => {
    const to = sentValue(field, sent);
    return to === null ? [] : [{ path: field.name, from: null, to, impact: 'in-place', origin: change.origin }];
  });
}

function sentValue(field: Field & { readonly stream: string }, sent: Config): Json {
  const value = sent[field.stream];
  if (value === undefined || field.name !== 'metadata' || !isObject(value)) return showValue(field.type, value);
  const labels = Object.entries(value).filter(([key]) => !key.startsWith(OWN_PREFIX));
  return labels.length > 0 ? Object.fromEntries(labels) : null;
}
