import { OpsError } from '../errors/ops-error.ts';
import type { Explanation } from '../model/explanation.ts';
import { explain, topKeys } from '../spec/explain.ts';

/**
 * What a key of the spec is; what keys there are where no path is given.
 * @throws OpsError NOT_FOUND, with what may be meant
 */
export function explainOperation(path: string | undefined): readonly Explanation[] {
  if (path === undefined) {
    const doc = 'One YAML file that declares one system.';
    return [{ path: 'spec', type: 'map', doc, required: true, also_understood: [], keys: topKeys() }];
  }
  const { found, near } = explain(path);
  if (found.length > 0) return found;
  throw new OpsError('NOT_FOUND', `a spec has no key ${path}`, {
    where: path,
    hints: near.length > 0 ? near.map((each) => `did you mean ${each}?`) : ['`osapi-ops explain` lists the keys'],
  });
}
