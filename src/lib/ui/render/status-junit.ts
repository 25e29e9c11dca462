import { checkCode } from '../../facts/check-pages.ts';
import type { Target } from '../../model/resource.ts';
import { type Check, type FailOn, failsBy, type StatusReport } from '../../model/verdict.ts';
import { html } from './html.ts';
import { nameOfSystem } from './status.ts';

/** Text for an attribute or an element; what XML 1.0 cannot hold at all is escaped visibly before. */
const xml = (text: string): string => html(text).replace(/[\uFFFE\uFFFF]/g, '?');

/**
 * One test case for each check. The order of elements and the attributes are those that both common schemas take:
 * Jenkins' and the older one of Ant.
 */
export function renderJunit(report: StatusReport, failOn: FailOn): string {
  const { checks, at, target } = report;
  const failed = checks.filter((check) => failsBy(report, check, failOn));
  const skipped = checks.filter((check) => check.status === 'unknown' && !failed.includes(check));
  const remarks = checks.filter(({ status }) => status !== 'ok').map(line);
  const attributes = {
    name: `osapi-ops status ${nameOfSystem(report)}`,
    package: 'osapi-ops',
    id: '0',
    timestamp: at.slice(0, 19),
    hostname: target ? hostOf(target) : 'localhost',
    tests: checks.length,
    failures: failed.length,
    errors: 0,
    skipped: skipped.length,
    time: '0',
  };
  const suite = Object.entries(attributes).map(([name, value]) => `${name}="${xml(String(value))}"`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite ${suite.join(' ')}>
    <properties>
      <property name="server" value="${xml(target ? `${target.url} ${target.server.version}` : 'not reached')}"/>
    </properties>
${checks.map((check) => testCase(report, check, failOn)).join('\n')}
    <system-out>${xml(remarks.join('; '))}</system-out>
    <system-err></system-err>
  </testsuite>
</testsuites>
`;
}

/** A server without a name of its own is named by its id, which tells a person nothing. */
const hostOf = ({ server, url }: Target): string =>
  server.name === server.id ? url.replace(/^[a-z]+:\/\//, '') : server.name;

const line = ({ id, status, summary }: Check): string => `${status} ${id}: ${summary}`;

function testCase(report: StatusReport, check: Check, failOn: FailOn): string {
  const { id, status, summary, resource, name, next } = check;
  const group = [nameOfSystem(report), ...(resource === undefined ? [] : [resource])].join('.');
  const open = `    <testcase name="${xml(resource === undefined ? name : id)}" classname="${xml(group)}" time="0"`;
  if (!failsBy(report, check, failOn))
    return status === 'unknown' ? `${open}><skipped message="${xml(summary)}"/></testcase>` : `${open}/>`;
  const text = `${summary}.${next === undefined ? '' : ` Next: ${next}.`} ${checkCode(name)}`;
  return `${open}><failure type="${status}" message="${xml(summary)}">${xml(text)}</failure></testcase>`;
}
