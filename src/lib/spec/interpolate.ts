import type { SpecProblem } from './problem.ts';
import { mapScalars, type Node, type Place, positionOfPlace, type ScalarNode } from './tree.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A variable that is missing or badly written, with the offset of its `$` in the scalar's text. */
interface Fault {
  readonly at: number;
  readonly message: string;
  readonly why: string;
  readonly hint: string;
}

/**
 * Fills `${VAR}`, `${VAR:-default}` and `${VAR:?message}` in and makes `$$` a dollar; any other dollar stays, so that
 * subjects such as `$JS.EVENT.>` need no escape. A default may hold variables of its own.
 */
export function fillVariables(text: string, env: Env): { readonly text: string; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const fill = (part: string, offset: number): string => {
    let out = '';
    for (let at = 0; at < part.length; at++) {
      if (part[at] !== '$') out += part[at];
      else if (part[at + 1] === '$') {
        out += '$';
        at += 1;
      } else if (part[at + 1] === '{') {
        const end = closingBrace(part, at + 2);
        if (end < 0) {
          faults.push(unclosed(offset + at));
          return out;
        }
        out += variable(part.slice(at + 2, end), offset + at);
        at = end;
      } else out += '$';
    }
    return out;
  };
  const variable = (inside: string, at: number): string => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)([\s\S]*))?$/.exec(inside);
    if (!match) {
      faults.push(malformed(at));
      return '';
    }
    const [, name = '', form, rest = ''] = match;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (form === ':-') return value ? value : fill(rest, at + 4 + name.length);
    if (form === ':?' ? !value : value === undefined) faults.push(missing(at, name, rest));
    return value ?? '';
  };
  return { text: fill(text, 0), faults };
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '$' && text[at + 1] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

const unclosed = (at: number): Fault => ({
  at,
  message: 'the variable that begins here has no closing brace',
  why: `Variables are written \`\${NAME}\`.`,
  hint: `close it with \`}\`, or write \`$\${\` for a dollar and a brace.`,
});

const malformed = (at: number): Fault => ({
  at,
  message: 'this is no variable',
  why: `Variables are written \`\${NAME}\`, \`\${NAME:-default}\` or \`\${NAME:?message}\`.`,
  hint: `use one of these forms, or write \`$\${\` for a dollar and a brace.`,
});

const missing = (at: number, name: string, message: string): Fault => ({
  at,
  message: message ? `\${${name}} is not set: ${message}` : `\${${name}} is not set`,
  why: 'The spec takes this value from the environment and gives no default.',
  hint: `set ${name}, or write \${${name}:-default}.`,
});

/** Fills the variables of every value (never of a key) and types plain values anew, so that `${N:-3}` is a number. */
export function interpolate(root: Node, env: Env): { readonly root: Node; readonly problems: readonly SpecProblem[] } {
  const problems: SpecProblem[] = [];
  const holdsDollar = ({ value }: ScalarNode): boolean => typeof value === 'string' && value.includes('$');
  const filled = mapScalars(root, holdsDollar, (node) => {
    const { text, faults } = fillVariables(String(node.value), env);
    problems.push(...faults.map((fault) => toProblem(fault, node)));
    if (text === node.value) return node;
    return { ...node, value: node.plain ? typed(text) : text, written: String(node.value), filled: text };
  });
  return { root: filled, problems };
}

function toProblem(fault: Fault, node: ScalarNode): SpecProblem {
  return {
    code: 'SPEC_VARIABLE',
    severity: 'error',
    ...positionOfPlace(dollarPlace(node, fault.at)),
    message: fault.message,
    why: fault.why,
    hint: fault.hint,
  };
}

/** The dollar itself where the text in the file is the scalar's own; the scalar where quotes or folding changed it. */
function dollarPlace(node: ScalarNode, at: number): Place {
  const { file, start, end } = node.place;
  const raw = file.text.slice(start, end);
  const shift = raw.indexOf(String(node.value));
  return shift < 0 ? node.place : { file, start: start + shift + at, end };
}

/** What YAML 1.2 makes of an unquoted value. */
function typed(text: string): ScalarNode['value'] {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  if (/^(?:true|True|TRUE)$/.test(trimmed)) return true;
  if (/^(?:false|False|FALSE)$/.test(trimmed)) return false;
  if (/^[-+]?\d+$/.test(trimmed) || /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(trimmed))
    return Number(trimmed);
  return text;
}
