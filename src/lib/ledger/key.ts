/** A text as one token of a KV key: what a key cannot hold, and the dot that would part it, is written as `=hex`. */
export const toToken = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');

/** The text that `toToken` wrote. */
export function fromToken(token: string): string {
  const bytes = token.match(/=[0-9a-f]{2}|[^=]/g) ?? [];
  const codes = bytes.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
  return new TextDecoder().decode(Uint8Array.from(codes));
}

//   applied.<system>              what was applied last: the head, written last
//   part.<system>.<write>.<n>     a piece of what does not fit into the head
//   lock.<name>                   who is at work
//   history.<system>.<id>         who did what
//   replay.<id>                   how far a replay is
//   migration.<name>              what is being moved: all that is needed to go on, or back
//   moved.<name>.<n>              a piece of what is known of what is moved while the old one is gone
export const ledgerKey = {
  applied: (system: string) => `applied.${toToken(system)}`,
  part: (system: string, write: string, index: number | '>') => `part.${toToken(system)}.${write}.${index}`,
  lock: (name: string) => `lock.${name === '*' ? name : toToken(name)}`,
  replay: (id: string) => `replay.${id}`,
  migration: (name: string) => `migration.${name === '*' ? name : toToken(name)}`,
  moved: (name: string, index: number | '>') => `moved.${toToken(name)}.${index}`,
  history: (system: string, id: string) => `history.${toToken(system)}.${id}`,
};
