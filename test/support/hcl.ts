import type { Json } from '../../src/lib/model/json.ts';

/** A block of HCL: `resource "type" "label" { … }`. */
export interface HclBlock {
  readonly word: string;
  readonly labels: readonly string[];
  readonly body: Record<string, Json>;
}

/** Reads the HCL of values without expressions: blocks within a body become lists, a reference its own text. */
export function readHcl(text: string): HclBlock[] {
  const tokens = [...text.replace(/^#.*$/gm, '').matchAll(/"(?:\\.|[^"\\])*"|[A-Za-z_][\w.-]*|-?\d+|[{}[\]=,]/g)].map(
    ([token]) => token,
  );
  let at = 0;
  const next = (wanted?: string): string => {
    const token = tokens[at++];
    if (token === undefined || (wanted !== undefined && token !== wanted))
      throw new Error(`HCL: ${token} where ${wanted ?? 'more'} was wanted`);
    return token;
  };
  const textOf = (token: string): string => JSON.parse(token);

  function value(): Json {
    const token = next();
    if (token === '[') {
      const items: Json[] = [];
      while (tokens[at] !== ']') {
        items.push(value());
        if (tokens[at] === ',') at++;
      }
      next(']');
      return items;
    }
    if (token === '{') return body();
    if (token.startsWith('"')) return textOf(token);
    if (token === 'true' || token === 'false') return token === 'true';
    return /^-?\d+$/.test(token) ? Number(token) : token;
  }

  function body(): Record<string, Json> {
    const result: Record<string, Json> = {};
    while (tokens[at] !== '}') {
      const word = next();
      const name = word.startsWith('"') ? textOf(word) : word;
      if (tokens[at] === '=') {
        at++;
        result[name] = value();
      } else {
        next('{');
        result[name] = [...((result[name] as Json[] | undefined) ?? []), body()];
      }
    }
    next('}');
    return result;
  }

  const blocks: HclBlock[] = [];
  while (at < tokens.length) {
    const word = next();
    const labels: string[] = [];
    while (tokens[at] !== '{') labels.push(textOf(next()));
    next('{');
    blocks.push({ word, labels, body: body() });
  }
  return blocks;
}
