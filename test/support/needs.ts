/** The server lines that the tests prove things on where OSAPI_OPS_TEST_LINES names no others. */
export const LINES = ['2.10', '2.12', '2.15'];

/** The version the field's habits were measured with. */
export const NATS_CLI = 'github.com/nats-io/natscli/nats@v0.5.1';

/** What some tests need besides npm: what tells that it is here, where nothing brings it; and how it comes here. */
export const NEEDS = {
  'the nats CLI': { way: `go install ${NATS_CLI}` },
  'a browser': { way: 'a network brings it on Linux (x64); elsewhere install Chrome or Chromium' },
  'a pseudo-terminal': { way: 'install python3', probe: ['python3', '-c', 'import pty'] },
  bash: { way: 'install bash', probe: ['bash', '--version'] },
  zsh: { way: 'install zsh', probe: ['zsh', '--version'] },
  fish: { way: 'install fish', probe: ['fish', '--version'] },
  openssl: { way: 'install openssl', probe: ['openssl', 'version'] },
  nsc: { way: 'install nsc (github.com/nats-io/nsc)', probe: ['nsc', '--version'] },
  kubectl: { way: 'install kubectl', probe: ['kubectl', 'version', '--client'] },
  'the right to mount': { way: 'run the tests as root on Linux', probe: ['unshare', '--mount', 'true'] },
  promtool: { way: 'install prometheus (promtool)', probe: ['promtool', '--version'] },
  actionlint: { way: 'install go, or actionlint' },
  shellcheck: { way: 'install python3 with pip, or shellcheck' },
  'check-jsonschema': { way: 'install python3 with pip' },
  'kubernetes-validate': { way: 'install python3 with pip' },
  'what Grafana says of its dashboards': { way: 'a network brings it' },
} satisfies Readonly<Record<string, { readonly way: string; readonly probe?: readonly string[] }>>;

export type Need = keyof typeof NEEDS | `nats-server ${string}`;

export const wayTo = (need: string): string =>
  (NEEDS as Record<string, { way: string }>)[need]?.way ?? 'a network brings it, or put it on PATH';

/** How the title of a test that is skipped ends; `needOf` reads it. */
export const isNotHere = (need: string): string => `(${need} is not here)`;
export const needOf = (fullName: string): string | undefined => /\(([^()]+) is not here\)/.exec(fullName)?.[1];
