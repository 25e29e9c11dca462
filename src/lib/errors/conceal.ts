// The door that every word of ours goes through before it is shown, logged or written down. It knows the secrets that
// were read in this process, and the shapes that only secrets have, so that a text which quotes one shows none.

const kept = new Set<string>();

/** Shorter ones would take ordinary words along. */
const SHORTEST = 4;
/** A line of a secret that is several lines long, as a key is. */
const SHORTEST_LINE = 16;

/** What is a secret wherever it stands. */
const SHAPES: readonly RegExp[] = [
  // PEM and credentials files, also cut short or on one line.
  /-{5,}BEGIN[^-]*-{5,}[\s\S]*?(?:-{5,}END[^-]*-{5,}|$)/g,
  // Seeds of nkeys: of operators, accounts, users, servers, clusters, curves.
  // A seed or a JWT that was taken for the name of a host is in small letters.
  /\bS[OAUNCX][A-Z2-7]{40,}/gi,
  /\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}/gi,
  // User and password of a URL, to the last @: one too many is part of the password.
  /(?<=[a-z][a-z0-9+.-]*:\/\/)[^\s@]+(?:@[^\s@]*)*(?=@)/gi,
  /(?<=\bdata:)[^\s,]*;base64,[\w+/=-]+/g,
];

/** Remembers a secret, in every form in which it may come back. */
export function keepSecret(secret: string): void {
  const lines = secret.split(/[\r\n]+/);
  const forms = [
    secret,
    secret.trim(),
    secret.replace(/\s+/g, ' ').trim(),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    ...(lines.length > 1 ? lines.filter((line) => line.length >= SHORTEST_LINE) : []),
  ];
  for (const form of forms) if (form.length >= SHORTEST) kept.add(form);
}

/** For tests of which many run in one process: a secret of one is an ordinary word of the next. */
export const forgetSecrets = (): void => kept.clear();

/** Whether this very text was read as a secret. */
export const isKeptSecret = (text: string): boolean => kept.has(text);

/** The text without any secret in it. */
export function conceal(text: string): string {
  // All are looked for in the text as it came: one that was taken out of the middle of another would leave its ends.
  const found = [
    ...[...kept].flatMap((secret) => placesOf(secret, text)),
    ...SHAPES.flatMap((shape) => [...text.matchAll(shape)].map(({ 0: { length }, index }) => [index, index + length])),
  ].sort(([a], [b]) => a! - b!);
  let shown = '';
  let end = 0;
  for (const [from, to] of found) {
    if (from! >= end) shown += `${text.slice(end, from)}***`;
    end = Math.max(end, to!);
  }
  return shown + text.slice(end);
}

/** Where a secret stands in a text: from, and to before. */
function placesOf(secret: string, text: string): [number, number][] {
  const places: [number, number][] = [];
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) places.push([at, at + secret.length]);
  return places;
}

/** Whether a text has the shape of a secret. */
export const looksSecret = (text: string): boolean => SHAPES.some((shape) => text.search(shape) >= 0);

/** The value with all texts in it concealed; its keys are ours. */
export function concealAll<T>(value: T): T {
  if (typeof value === 'string') return conceal(value) as T;
  if (Array.isArray(value)) return value.map(concealAll) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, concealAll(each)])) as T;
}
