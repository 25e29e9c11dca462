// Every variable the program reads: those of flags from the commands, the others from the source, each with its word here.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { table } from './markdown.ts';
import { type CommandSurface, ROOT } from './surface.ts';

export const ENVIRONMENT_PAGE_FILE = fileURLToPath(new URL('../../docs/environment.md', import.meta.url));

const CONNECTION: Readonly<Record<string, string>> = {
  NATS_JWT: 'a user JWT, with NATS_SEED',
  NATS_SEED: 'the seed that goes with it',
  NATS_SOCKS_PROXY: 'refused with a message: this build goes through no SOCKS proxy',
};
const TERMINAL: Readonly<Record<string, string>> = {
  NO_COLOR: 'no colours',
  FORCE_COLOR: 'colours where no terminal is; `0` or `false` for none',
  TERM: '`dumb`: no colours, no redrawing',
  CI: 'lines instead of redrawing; `history` notes that a pipeline did it',
  PAGER: 'what pages output longer than the terminal; `less` where it is not set, nothing where it is empty',
  LESS: 'how `less` behaves; `FRX` where it is not set',
  LESSCHARSET: '`utf-8` where it is not set',
  VISUAL: 'the editor of `dlq replay --edit`',
  EDITOR: 'the same, where VISUAL is not set',
  SHELL: 'the shell that `autocomplete` explains itself for',
  OSAPI_OPS_DEBUG: 'an error shows its stack',
  DEBUG: 'the same',
};
const PLACES: Readonly<Record<string, string>> = {
  XDG_CONFIG_HOME: 'where the contexts of the nats CLI are; else `.config` of the home directory',
  XDG_CACHE_HOME: 'where fetched nats-servers are kept; else `.cache` of HOME',
  LOCALAPPDATA: 'the same on Windows',
  HOME: 'the home directory',
  PATH: 'where nats-server and the commands of `--exec` are looked for',
  OSAPI_OPS_NATS_SERVER: 'the nats-server that `dev` and `demo` run',
  HTTPS_PROXY: 'the way to fetch one',
  NODE_DISABLE_COMPILE_CACHE: 'code that a run compiled is not kept, in the temporary directory, for the next',
};
const PIPELINE: Readonly<Record<string, string>> = {
  GITHUB_ACTIONS: 'annotations at the lines of a spec; the run is noted in `history`',
  TRACEPARENT: 'the trace that `request send` is a part of: it goes along as a header',
  TRACESTATE: 'what goes with `TRACEPARENT`',
  GITHUB_STEP_SUMMARY: 'where `status --output github` appends its table',
  GITHUB_WORKSPACE: 'what paths in annotations are relative to',
  CI_PROJECT_DIR: 'the same on GitLab',
};
/** Read only to note in `history` who did it, and from where. */
const ACTOR =
  /^(GITHUB_(ACTOR|REPOSITORY|RUN_ID|SERVER_URL)|GITLAB_(CI|USER_LOGIN)|CI_(JOB|PIPELINE|PROJECT).*|BUILD_.*|USER|LOGNAME)$/;
/** Between our own processes. */
const INTERNAL = new Set(['OSAPI_OPS_LEASH']);

/** The names that the source reads from an environment. */
function readNames(): Set<string> {
  const files = globSync('{src,bin}/**/*.{ts,js,cjs}', { cwd: ROOT });
  const reads = /\benv\??\.([A-Z][A-Z_]+)\b|'(NATS_[A-Z_]+)'/g;
  return new Set(
    files.flatMap((file) => [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(reads)].map(([, a, b]) => (a ?? b)!)),
  );
}

/** Variable → the flag it stands for, in its words; where they differ from command to command, the commands. */
function flagRows(surface: readonly CommandSurface[], isWanted: (variable: string) => boolean): string[][] {
  const found = new Map<string, { commands: string[]; summaries: Set<string> }>();
  for (const { id, flags } of surface) {
    for (const [name, { env, summary }] of Object.entries(flags)) {
      if (!env || !isWanted(env)) continue;
      const known = found.get(`${env} ${name}`) ?? { commands: [], summaries: new Set() };
      known.commands.push(id);
      known.summaries.add(summary);
      found.set(`${env} ${name}`, known);
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { commands, summaries }]) => {
      const [variable, flag] = key.split(' ');
      const what = summaries.size === 1 ? [...summaries][0]! : `of ${commands.map((id) => `\`${id}\``).join(', ')}`;
      return [`\`${variable}\``, `\`--${flag}\``, what];
    });
}

const words = (of: Readonly<Record<string, string>>): string =>
  table(
    ['variable', ''],
    Object.entries(of).map(([name, what]) => [`\`${name}\``, what]),
  );

/** The text of docs/environment.md. @throws Error where the source reads a variable that has no word here */
export function environmentPageText(surface: readonly CommandSurface[]): string {
  const ofFlags = new Set(surface.flatMap(({ flags }) => Object.values(flags).flatMap(({ env }) => env ?? [])));
  const told = { ...CONNECTION, ...TERMINAL, ...PLACES, ...PIPELINE };
  const read = readNames();
  const silent = [...read].filter(
    (name) => !ofFlags.has(name) && !told[name] && !ACTOR.test(name) && !INTERNAL.has(name),
  );
  const gone = Object.keys(told).filter((name) => !read.has(name));
  if (silent.length + gone.length > 0)
    throw new Error(
      `scripts/generate/environment-page.ts: no word for ${silent.join(', ') || '–'}; not read any more: ${gone.join(', ') || '–'}`,
    );
  const isNats = (variable: string): boolean => variable.startsWith('NATS_');
  return `# Environment variables

A flag wins over its variable, a variable over a context and the spec. The program reads no others: this page is made by
\`npm run docs\` from the commands and from what the source reads.

## The connection

As in the nats CLI. [Which one chose the server](commands.md#connection-flags) is told by every plan.

${table(['variable', 'flag', ''], flagRows(surface, isNats))}

${words(CONNECTION)}

## The terminal

${words(TERMINAL)}

## Places

${words(PLACES)}

## Pipelines

${words(PIPELINE)}

What GitHub, GitLab, Jenkins and the system say of who runs this (\`GITHUB_ACTOR\`, \`GITLAB_USER_LOGIN\`, \`BUILD_URL\`, \`USER\`, …) is
read for [history](commands.md#osapi-ops-history) alone.

## Flags

By one rule: \`--allow-replace\` is \`OSAPI_OPS_ALLOW_REPLACE\`. For a switch, \`1\`, \`true\`, \`y\` and \`yes\` set it.

${table(
  ['variable', 'flag', ''],
  flagRows(surface, (variable) => !isNats(variable)),
)}
`;
}
