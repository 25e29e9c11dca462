import { fileURLToPath } from 'node:url';
import { CODES, EXIT } from '../../src/lib/errors/codes.ts';
import { RULES } from '../../src/lib/spec/rules/judge.ts';
import { FORM_FAULTS } from './form-faults.ts';

export const CODES_FILE = fileURLToPath(new URL('../../schemas/codes.json', import.meta.url));

/** What a pipeline branches on beside the results themselves. */
export interface Codes {
  /** Exit codes, by what they mean. */
  readonly exits: Readonly<Record<string, number>>;
  /** Codes of errors, with the exit code each ends in. */
  readonly errors: Readonly<Record<string, number>>;
  /** Codes of faults in a spec, with their severity. */
  readonly rules: Readonly<Record<string, string>>;
}

export const readCodes = (): Codes => ({
  exits: EXIT,
  errors: CODES,
  rules: Object.fromEntries([...FORM_FAULTS, ...RULES].map(({ id, severity }) => [id, severity])),
});

/** The text of schemas/codes.json. */
export function codesText({ exits, errors, rules }: Codes): string {
  const sorted = <T>(given: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ exits, errors: sorted(errors), rules: sorted(rules) }, null, 2)}\n`;
}

/** What would break a script that worked with `before`. A rule may become milder: an error a warning, not the reverse. */
export function brokenCodes(before: Codes, after: Codes): readonly string[] {
  const numbers = (what: string, was: Codes['exits'], is: Codes['exits']) =>
    Object.entries(was)
      .filter(([name, code]) => is[name] !== code)
      .map(([name, code]) => `${what} ${name}: exit code was ${code}, is ${is[name] ?? 'gone'}`);
  const rules = Object.entries(before.rules)
    .filter(([id, severity]) => !after.rules[id] || (severity === 'warning' && after.rules[id] === 'error'))
    .map(([id, severity]) => `the rule ${id}: was ${severity}, is ${after.rules[id] ?? 'gone'}`);
  return [
    ...numbers('the meaning', before.exits, after.exits),
    ...numbers('the error', before.errors, after.errors),
    ...rules,
  ];
}
