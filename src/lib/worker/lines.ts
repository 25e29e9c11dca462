/** A line longer than this is cut. */
const LONGEST_LINE = 2000;

/** The lines of a text that comes in pieces, blank ones left out; an empty piece ends it. Holds no more than one line. */
export function createLineCutter(take: (line: string) => void): (part: string) => void {
  let rest = '';
  return (part) => {
    const lines = (rest + (part || '\n')).split('\n');
    rest = lines.pop()!.slice(0, LONGEST_LINE);
    for (const line of lines) if (line.trim() !== '') take(line.slice(0, LONGEST_LINE));
  };
}
