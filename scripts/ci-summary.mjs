// Closes a CI run: what could not be checked and what passed only at a second try, jest's totals, and tests and checks in
// one line, `N passed, N failed`; and the exit code.
import { readFileSync } from 'node:fs';

const [file, tests, checks] = process.argv.slice(2);
const log = readFileSync(file, 'utf8').replace(/\x1b\[[0-9;]*m/g, '');
const totals = log.match(/^Tests:.*$/gm)?.at(-1) ?? '';
const count = (text, word) => Number(new RegExp(`(\\d+) ${word}`).exec(text)?.[1] ?? 0);
const checked = [...log.matchAll(/^check (\S+): (passed|failed)$/gm)].map((match) => match[2]);

const passed = count(totals, 'passed') + checked.filter((word) => word === 'passed').length;
let failed = count(totals, 'failed') + checked.filter((word) => word === 'failed').length;
// A runner that broke before it could count is a failure too.
if (failed === 0 && (tests !== '0' || checks !== '0' || count(totals, 'passed') === 0)) failed = 1;
for (const [line] of log.matchAll(/^(Not checked|Second try): .*$/gm)) console.log(line);
if (totals) console.log(totals);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
