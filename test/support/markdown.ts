// What a reader of Markdown follows or copies: links, headings as anchors, code blocks, code within a line.

export interface Fence {
  readonly language: string;
  /** The word after the language: a file's name. */
  readonly name: string;
  readonly text: string;
  /** From 1: the line of the document where its text begins. */
  readonly line: number;
}

export interface Page {
  readonly links: readonly { readonly target: string; readonly line: number }[];
  readonly anchors: ReadonlySet<string>;
  readonly fences: readonly Fence[];
  /** Code within a line. */
  readonly codes: readonly { readonly text: string; readonly line: number }[];
}

/** As GitHub makes it: lower case, letters, digits, `-` and `_` kept, blanks to `-`; a second one gets `-1`. */
function anchorsOf(headings: readonly string[]): Set<string> {
  const seen = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
      const slug = text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

export function readPage(text: string): Page {
  const prose: { text: string; line: number }[] = [];
  const fences: Fence[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const open = /^\s*(`{3,})(\w*)(?: (\S+))?/.exec(lines[at]!);
    if (!open) {
      prose.push({ text: lines[at]!, line: at + 1 });
      continue;
    }
    const [, ticks, language, name] = open;
    const end = lines.findIndex((line, index) => index > at && line.trim() === ticks);
    if (end < 0) throw new Error(`the fence of line ${at + 1} has no end`);
    fences.push({
      language: language!,
      name: name ?? '',
      text: `${lines.slice(at + 1, end).join('\n')}\n`,
      line: at + 2,
    });
    at = end;
  }
  return {
    fences,
    anchors: anchorsOf(prose.flatMap(({ text }) => /^#{1,6} (.*?)\s*#*$/.exec(text)?.[1] ?? [])),
    codes: codesOf(prose),
    links: linksOf(prose),
  };
}

type Lines = readonly { readonly text: string; readonly line: number }[];

const codesOf = (prose: Lines): { text: string; line: number }[] =>
  prose.flatMap(({ text, line }) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => ({ text: code!, line })));

/** Links and pictures, also those that Markdown leaves to HTML. */
const linksOf = (prose: Lines): { target: string; line: number }[] =>
  prose.flatMap(({ text, line }) => {
    const plain = text.replace(/`[^`]*`/g, '');
    return [...plain.matchAll(/\]\(([^)\s]+)[^)]*\)|(?:src|href)="([^"]+)"/g)].map(([, written, html]) => ({
      target: written ?? html!,
      line,
    }));
  });
