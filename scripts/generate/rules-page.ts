import { fileURLToPath } from 'node:url';
import { RULES } from '../../src/lib/spec/rules/judge.ts';
import { FORM_FAULTS, type FormFault } from './form-faults.ts';
import { RULE_EXAMPLES } from './rule-examples.ts';

export const RULES_PAGE_FILE = fileURLToPath(new URL('../../docs/rules.md', import.meta.url));

const HEAD = `# Rules of a spec

\`osapi-ops validate\` tells every problem of a spec at once, offline, each with its place, one of these codes, the reason
and the mend. Errors keep a spec from being planned or applied; warnings do not (\`validate --strict\` counts them as
errors). Where a problem says so in its mend, \`validate --fix\` writes it. Codes are stable; words may change.

This page is made from the code by \`npm run docs\`; the tests carry out every example.

A file that is missing, no text in UTF-8, or larger than 4 MiB is \`SPEC_UNREADABLE\`.
`;

/** Every fault of meaning, as those of form. */
export const MEANING_FAULTS: readonly FormFault[] = RULES.map((rule) => {
  const shown = RULE_EXAMPLES[rule.id];
  if (!shown) throw new Error(`${rule.id} has no example in scripts/generate/rule-examples.ts`);
  return { ...rule, ...shown };
});

function section({ id, severity, title, why, bad, good }: FormFault): string {
  const block = (text: string) => `\`\`\`yaml\n${text.trimEnd()}\n\`\`\``;
  return `### ${id}\n\n**${severity}** · ${title} ${why}\n\nBad:\n\n${block(bad)}\n\nGood:\n\n${block(good)}\n`;
}

/** The text of docs/rules.md. */
export const rulesPageText = (): string =>
  [HEAD, `## Form\n`, ...FORM_FAULTS.map(section), `## Meaning\n`, ...MEANING_FAULTS.map(section)].join('\n');
