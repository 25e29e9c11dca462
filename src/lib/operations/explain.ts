import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../errors/nearest.ts';
import { OpsError } from '../errors/ops-error.ts';
import type { Explanation } from '../model/explanation.ts';
import { explain, topKeys } from '../spec/explain.ts';

/** The pages that have a section for each code, and what such a code is. */
const PAGES = [
  ['docs/errors.md', 'an error’s code'],
  ['docs/checks.md', 'a check of status'],
  ['docs/risks.md', 'a finding of a plan'],
  ['docs/rules.md', 'a rule of the spec'],
] as const;

/** What a page says under a heading: up to the next one that is no deeper. */
export function sectionOf(page: string, heading: string): string | undefined {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => /^#{2,3} /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) return undefined;
  const depth = lines[start]!.indexOf(' ');
  const end = lines.findIndex((line, at) => at > start && /^#+ /.test(line) && line.indexOf(' ') <= depth);
  return lines
    .slice(start + 1, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}

/** All codes that have a section. */
const codesIn = (root: string): string[] =>
  PAGES.flatMap(([source]) =>
    [...readFileSync(join(root, source), 'utf8').matchAll(/^#{2,3} ([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)$/gm)].map(
      ([, code]) => code!,
    ),
  );

const didYouMean = (near: readonly string[]): readonly string[] => near.map((each) => `did you mean ${each}?`);

function explainCode(code: string, root: string): readonly Explanation[] {
  for (const [source, type] of PAGES) {
    const doc = sectionOf(readFileSync(join(root, source), 'utf8'), code);
    if (doc !== undefined) return [{ path: code, type, doc, required: false, source, also_understood: [], keys: [] }];
  }
  throw new OpsError('NOT_FOUND', `there is no code ${code}`, {
    where: code,
    hints: [
      ...didYouMean(nearest(code, codesIn(root), 3)),
      'codes stand behind `Code:` of an error, and in brackets behind a finding of `osapi-ops plan` and `status`',
    ],
  });
}

/**
 * What a key of the spec is, or a code; what keys there are where neither is given.
 * @param root of the package, where the pages of codes are
 * @throws OpsError NOT_FOUND, with what may be meant
 */
export function explainOperation(path: string | undefined, root: string): readonly Explanation[] {
  if (path !== undefined && /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(path)) return explainCode(path, root);
  if (path === undefined) {
    const doc = 'One YAML file that declares one system.';
    return [{ path: 'spec', type: 'map', doc, required: true, also_understood: [], keys: topKeys() }];
  }
  const { found, near } = explain(path);
  if (found.length > 0) return found;
  const meant = didYouMean(near.length > 0 ? near : nearest(path, codesIn(root), 3));
  throw new OpsError('NOT_FOUND', `a spec has no key ${path}`, {
    where: path,
    hints: meant.length > 0 ? meant : ['`osapi-ops explain` lists the keys'],
  });
}
