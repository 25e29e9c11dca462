import { keepSecret } from '../errors/conceal.ts';

/** What is in a value that is given there: nothing to hide, the secret, or a part of it. */
type Secret = (value: string) => readonly (string | undefined)[];

const whole: Secret = (value) => [value];
/** What stands before the last @ is user and password. */
const ofUrl: Secret = (value) => /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^:]*:?(.*))@/is.exec(value)?.slice(1) ?? [];
/** What has several lines is no path, but what belongs into the file. */
const ofPath: Secret = (value) => (/[\r\n]/.test(value) ? [value] : []);

const PLACES: readonly (readonly [Secret, flags: RegExp, variables: readonly string[]])[] = [
  [whole, /^--(?:password|token)$/, ['NATS_PASSWORD', 'NATS_TOKEN', 'NATS_JWT', 'NATS_SEED']],
  [ofUrl, /^(?:--server|-s)$/, ['NATS_URL']],
  [ofPath, /^--(?:creds|nkey|tlscert|tlskey|tlsca)$/, ['NATS_CREDS', 'NATS_NKEY', 'NATS_CERT', 'NATS_KEY', 'NATS_CA']],
];

/** Keeps the secrets of a command line and its environment from being shown, before anything reads them. */
export function keepTyped(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
  const given = argv.flatMap((word, at) => {
    const [, flag = word, value = argv[at + 1]] = /^(--[a-z]+(?==)|-s)=?(.+)$/s.exec(word) ?? [];
    return [{ flag, value }];
  });
  for (const [secret, flags, variables] of PLACES) {
    const values = [
      ...given.filter(({ flag }) => flags.test(flag)).map(({ value }) => value),
      ...variables.map((name) => env[name]),
    ];
    for (const part of values.flatMap((value) => (value === undefined ? [] : secret(value))))
      if (part) keepSecret(part);
  }
}
