import { fileURLToPath } from 'node:url';
import { CHECK_PAGES, type CheckPage, checkCode } from '../../src/lib/facts/check-pages.ts';
import { CHECKS, type CheckName } from '../../src/lib/facts/checks.ts';
import { checkMetric } from '../../src/lib/facts/metrics.ts';

export const CHECKS_PAGE_FILE = fileURLToPath(new URL('../../docs/checks.md', import.meta.url));

const HEAD = `# The checks of status, one by one

What \`osapi-ops status\` prints in brackets behind a finding stands here, with what to look at and what to type. QUEUE is the
name of the queue, CONSUMER that of its consumer. [Their limits](status.md#the-checks); [alerts for them](how-to/monitoring.md). This page is made from the code by
\`npm run docs\`.
`;

function section(name: CheckName): string {
  const { title, doc } = CHECKS[name];
  const { look, type }: CheckPage = CHECK_PAGES[name];
  const metric = checkMetric(name);
  const measured = metric ? ` Measured as \`${metric.name}\`.` : '';
  return `## ${checkCode(name)}\n\n**${title}** · ${doc}${measured}\n\n${look}\n\n\`\`\`sh\n${type.join('\n')}\n\`\`\`\n`;
}

/** The text of docs/checks.md. */
export const checksPageText = (): string => [HEAD, ...(Object.keys(CHECKS) as CheckName[]).map(section)].join('\n');
