import { OpsError } from '../errors/ops-error.ts';
import type { WhereTerm } from '../model/entry-filter.ts';
import { escapeOf, inOneLine, TRICKY } from '../model/visible.ts';
import { type Dimension, type Facts, KEYS_THERE_ARE, likelyKey, parseDimension } from './dimension.ts';

//   KEY=VALUE     the value is this          KEY=*     it has one
//   KEY!=VALUE    it is not, or has none     KEY!=*    it has none
//
//   In a value `*` stands for any text; `\*` for a star, `\\` for a backslash, and `\x1b`, `\u202e`, `\u{e0001}` for
//   what is shown so. A backslash before anything else is one. What `stats` shows of several, `timeout after #ms`, chooses
//   all of them.

/** A text with stars in it: its pieces, between which anything may stand. */
type Pattern = readonly string[];

function parsePattern(text: string): Pattern {
  const pieces: string[] = [];
  let piece = '';
  const token = /\\([*\\])|\\x([\da-fA-F]{2})|\\u([\da-fA-F]{4})|\\u\{([\da-fA-F]{1,6})\}|(\*)|(.)/gsu;
  for (const [, escaped = '', byte, unit, point, star, plain = escaped] of text.matchAll(token)) {
    const code = byte ?? unit ?? point;
    piece += star !== undefined ? '' : code === undefined ? plain : characterOf(code);
    if (star === undefined) continue;
    pieces.push(piece);
    piece = '';
  }
  return [...pieces, piece];
}

const characterOf = (hex: string): string => {
  const code = Number.parseInt(hex, 16);
  return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
};

/** Line breaks, and the blanks of other kinds beside them, as an older line of `stats` has them: as escapes; one of a backslash is none. */
const LINE_BREAK = /\\\\|\\x0([9a-d])/gi;
const breakOf = (found: string, code?: string): string =>
  code === undefined ? found : String.fromCharCode(Number.parseInt(code, 16));

/** In steps that grow with the value and not with the number of stars. */
function fits(pieces: Pattern, value: string): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = value.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= value.length - last.length;
}

/** The value of a term that holds for this very text and no other. */
const exactly = (value: string): string =>
  value
    .replace(/[*\\]/g, '\\$&')
    .replace(TRICKY, escapeOf)
    // At these places it would be a second sign of the condition, and the rest of a subject.
    .replace(/^=|(?<=^|\.)>$/g, escapeOf);

/** The term that holds for those of which a key has this value, or begins with it; null stands for none. */
export const termFor = (key: string, value: string | null, isCut = false): string =>
  value === null ? `${key}!=*` : `${key}=${exactly(value)}${isCut ? '*' : ''}`;

/** Where a key can end: at an equals sign before which a key stands. */
function splitTerm(text: string): { dimension: Dimension; negated: boolean; value: string } | undefined {
  for (let at = text.indexOf('='); at > 0; at = text.indexOf('=', at + 1)) {
    const negated = text[at - 1] === '!';
    const dimension = parseDimension(text.slice(0, negated ? at - 1 : at));
    if (dimension) return { dimension, negated, value: text.slice(at + 1) };
  }
  return undefined;
}

/** Reads what `--where` was given. @throws OpsError USAGE */
export function parseWhere(texts: readonly string[], { alive = false } = {}): WhereTerm<Facts>[] {
  return texts.map((text) => {
    const term = splitTerm(text);
    if (!term || (alive && term.dimension.ofDeath)) throw noTerm(text, term?.dimension.name);
    const { dimension, negated, value } = term;
    const pattern = parsePattern(written(dimension, value));
    const fault = faultIn(dimension, value, pattern);
    if (fault) throw noValue(text, fault);
    return {
      text,
      key: dimension.name,
      holds(facts) {
        const found = dimension.valueOf(facts);
        const forms = found === null ? [] : (dimension.formsOf?.(found) ?? [found]);
        return forms.some((form) => fits(pattern, form)) !== negated;
      },
    };
  });
}

/** A value as it is compared. Of a subject the last `>` is the rest, as everywhere else: what `*` is here. */
function written({ name, inOneLine: isOneLine }: Dimension, value: string): string {
  if (name === 'subject') return value.replace(/(?<=^|\.)>$/, '*');
  return isOneLine ? inOneLine(value.replace(LINE_BREAK, breakOf)) : value;
}

interface Fault {
  readonly why: string;
  readonly hint: string;
}

/** Why a value can never be one of its key: then the condition chooses none, or all, and nobody is told. */
function faultIn({ name, values, form }: Dimension, value: string, pattern: Pattern): Fault | undefined {
  if (value.startsWith('='))
    return {
      why: 'One = stands between key and value.',
      hint: 'write one; where the value begins with one, write that as \\x3d',
    };
  if (values && !values.some((one) => fits(pattern, one)))
    return {
      why: `There is no ${name} ${JSON.stringify(value)}.`,
      hint: `give ${values.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`,
    };
  if (form && pattern.length === 1 && !form.like.test(value))
    return { why: `No ${name} looks so.`, hint: `write it as ${name}=${form.example}` };
  return undefined;
}

const noValue = (text: string, { why, hint }: Fault): OpsError =>
  new OpsError('USAGE', `--where: ${JSON.stringify(text)} can never hold`, { where: '--where', why, hints: [hint] });

/** What may be meant by what is no condition. */
function meant(text: string): readonly string[] {
  const tight = text.trim().replace(/\s*(!?=)\s*/, '$1');
  if (tight !== text && splitTerm(tight)) return [`write it without blanks around the sign: ${tight}`];
  return likelyKey(text.replace(/!?=.*$/s, '')).map((key) => `did you mean ${key}?`);
}

const noTerm = (text: string, key: string | undefined): OpsError =>
  new OpsError('USAGE', `--where: ${JSON.stringify(text)} is no condition${key === undefined ? '' : ' here'}`, {
    where: '--where',
    why: key === undefined ? KEYS_THERE_ARE : `Only what died has a ${key}: a request that waits has none.`,
    hints: [
      ...(key === undefined ? meant(text) : []),
      'write it as KEY=VALUE or KEY!=VALUE, with * for any text: --where subject=requests.dns',
    ],
  });
