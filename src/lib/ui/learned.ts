import { nearest } from '../errors/nearest.ts';

/** Words that other tools taught (nats, kubectl, terraform, git, docker compose, queue tools), and the lines that do it here. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  add: ['apply', 'dlq import'],
  cancel: ['request cancel', 'dlq replays stop'],
  check: ['validate', 'status', 'doctor'],
  count: ['dlq stats', 'status'],
  create: ['init', 'apply'],
  dead: ['dlq ls', 'status'],
  del: ['destroy', 'dlq purge', 'request cancel'],
  delete: ['destroy', 'dlq purge', 'request cancel'],
  describe: ['dlq show', 'request show', 'status'],
  diff: ['plan'],
  down: ['destroy', 'dev stop'],
  drop: ['destroy', 'dlq purge'],
  dump: ['export', 'dlq export'],
  edit: ['dlq replay --edit'],
  fmt: ['validate --fix'],
  get: ['dlq show', 'request get'],
  health: ['status'],
  info: ['status', 'dlq show', 'request show'],
  inspect: ['dlq show', 'request show'],
  kill: ['dlq replays stop', 'request cancel'],
  lint: ['validate'],
  list: ['dlq ls', 'request ls'],
  log: ['history'],
  logs: ['history'],
  peek: ['dlq show', 'request ls'],
  preview: ['plan'],
  ps: ['status'],
  pub: ['request send'],
  publish: ['request send'],
  'queue list': ['status'],
  'queue ls': ['status'],
  queues: ['status'],
  redrive: ['dlq replay'],
  remove: ['destroy', 'dlq purge', 'request cancel'],
  report: ['status', 'dlq stats'],
  requeue: ['dlq replay'],
  replays: ['dlq replays ls'],
  restore: ['dlq import'],
  retry: ['dlq replay'],
  rm: ['destroy', 'dlq purge', 'request cancel'],
  serve: ['dev', 'status --listen'],
  start: ['dev', 'queue resume'],
  stop: ['dev stop', 'queue pause', 'dlq replays stop'],
  sub: ['dlq watch'],
  subscribe: ['dlq watch'],
  sync: ['apply'],
  tail: ['dlq watch'],
  top: ['status --watch', 'dlq watch'],
  up: ['apply', 'dev'],
  upgrade: ['apply'],
  view: ['dlq show', 'request show'],
};

/** What is no command here, and where it is done. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  consumer: '`osapi-ops status` shows the consumers of queues, `osapi-ops export` writes a spec of them',
  context:
    'contexts are those of the nats CLI: `nats context ls` lists them, `nats context select NAME` chooses one; `--context NAME` uses one here',
  login: 'there is nothing to log in to: name a context of the nats CLI with --context, or --creds FILE',
  stream: '`osapi-ops status` shows the streams of queues, `osapi-ops export` writes a spec of them',
  server: '`osapi-ops doctor` looks at the server, `osapi-ops dev` starts one on this machine',
};

/** Flags that other tools taught; the first that a command has is meant. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  approve: ['yes'],
  'assume-yes': ['yes'],
  'auto-approve': ['yes'],
  config: ['file'],
  count: ['limit'],
  dry: ['dry-run'],
  filename: ['file'],
  filter: ['where', 'subject'],
  follow: ['watch', 'wait'],
  force: ['yes'],
  format: ['output', 'json'],
  group: ['by'],
  n: ['limit'],
  'group-by': ['by'],
  'no-input': ['yes'],
  'non-interactive': ['yes'],
  o: ['output', 'json', 'out'],
  output: ['out', 'json'],
  url: ['server'],
  w: ['watch'],
  what: ['dry-run'],
  'what-if': ['dry-run'],
};

/**
 * What may be meant by words that name no command: the same thing under the name it has here, a command whose last word
 * was typed without its topic (`replay`) or with another one (`queue purge`), else the nearest one.
 * @param commands with a blank between topic and word
 */
export function likelyCommands(typed: string, commands: readonly string[]): readonly string[] {
  const word = typed.split(' ').at(-1)!;
  const topic = typed.slice(0, -word.length);
  if (Object.hasOwn(COMMANDS, typed)) return COMMANDS[typed]!;
  const learned = (Object.hasOwn(COMMANDS, word) ? COMMANDS[word]! : []).filter((line) => line.startsWith(topic));
  if (learned.length > 0) return learned;
  const elsewhere = commands.filter((name) => name.endsWith(` ${word}`));
  return elsewhere.length > 0 ? elsewhere : nearest(typed, commands);
}

/** What to try instead of words that name no command. */
export function commandHints(typed: string, commands: readonly string[]): readonly string[] {
  const [first = ''] = typed.split(' ');
  const likely = likelyCommands(typed, commands);
  const elsewhere = Object.hasOwn(ELSEWHERE, first)
    ? first
    : likely.length === 0 && nearest(first, Object.keys(ELSEWHERE))[0];
  if (elsewhere) return [ELSEWHERE[elsewhere]!];
  const meant = likely.map((line) => `\`osapi-ops ${line}\``);
  const topic = commands.some((name) => name.startsWith(`${first} `)) ? ` ${first}` : '';
  return [meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : `see \`osapi-ops${topic} --help\``];
}

/** The flag that is meant by one that there is not, without dashes. */
export function likelyFlag(typed: string, known: readonly string[]): string | undefined {
  const learned = Object.hasOwn(FLAGS, typed) ? FLAGS[typed]! : [];
  return learned.find((name) => known.includes(name)) ?? nearest(typed, known)[0];
}
