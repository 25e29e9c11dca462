/** True where `subject` is one the server takes in a stream or filter: no blanks, no empty tokens, `>` only at the end. */
export function isSubject(subject: string): boolean {
  if (/[\s\p{Cc}]/u.test(subject)) return false;
  const tokens = subject.split('.');
  return tokens.every((token, at) => token !== '' && (token !== '>' || at === tokens.length - 1));
}

interface Hit<T> {
  readonly subject: string;
  readonly value: T;
}

interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  readonly here: Hit<T>[];
}

/**
 * Subjects by token, so that overlaps among thousands of patterns are found without comparing each with each.
 * Only branches that could match are walked: the equal token, `*` and `>`.
 */
export class SubjectIndex<T> {
  readonly #root: Branch<T> = { next: new Map(), here: [] };

  add(subject: string, value: T): void {
    let branch = this.#root;
    for (const token of subject.split('.')) {
      let next = branch.next.get(token);
      if (!next) {
        next = { next: new Map(), here: [] };
        branch.next.set(token, next);
      }
      branch = next;
    }
    branch.here.push({ subject, value });
  }

  /** Everything added whose pattern overlaps `subject`. */
  overlapping(subject: string): readonly Hit<T>[] {
    const found: Hit<T>[] = [];
    const tokens = subject.split('.');
    const walk = (branch: Branch<T>, at: number): void => {
      const token = tokens[at];
      if (token === undefined) {
        found.push(...branch.here);
        return;
      }
      if (token === '>') {
        for (const next of branch.next.values()) gather(next, found);
        return;
      }
      for (const [name, next] of token === '*' ? branch.next : candidates(branch, token)) {
        if (name === '>') gather(next, found);
        else walk(next, at + 1);
      }
    };
    walk(this.#root, 0);
    return found;
  }
}

function* candidates<T>(branch: Branch<T>, token: string): Generator<[string, Branch<T>]> {
  for (const name of new Set([token, '*', '>'])) {
    const next = branch.next.get(name);
    if (next) yield [name, next];
  }
}

function gather<T>(branch: Branch<T>, found: Hit<T>[]): void {
  found.push(...branch.here);
  for (const next of branch.next.values()) gather(next, found);
}
