import { type Analyzer, labelOf, ownerOf } from './subject.ts';

/**
 * A resource that exists and does not carry this system's mark is never altered without `--adopt`, but for one that
 * this system applied last and from which only the mark went: `nats consumer add` over it wipes the metadata.
 */
export const ownership: Analyzer = (subject, { system, applied }) => {
  const { observed, key } = subject;
  if (!observed) return [];
  const owner = ownerOf(observed.config);
  if (owner === system || (owner === undefined && applied.has(key))) return [];
  const whose = owner ? `belongs to ${owner}` : 'exists already and carries no owner mark';
  return [
    {
      code: 'RISK_OWNERSHIP',
      severity: 'refuse',
      resource: key,
      message: `${labelOf(subject)} ${whose}`,
      hint: owner
        ? `ask whoever keeps ${owner}, or take it out of one of the two specs`
        : '--adopt takes it over: it writes the mark osapi-ops.owner, and the differences shown where there are any',
      needs: 'adopt',
    },
  ];
};
