import type { ArgEntry, FlagEntry } from './table.ts';

/** What only the server knows. */
export type Asked =
  | 'queues'
  | 'consumers'
  | 'targets'
  | 'entries'
  | 'requests'
  | 'kinds'
  | 'subjects'
  | 'buckets'
  | 'systems'
  | 'resources'
  | 'replays'
  | 'running';

/** Where the values of a flag or an argument come from. */
export type Kind =
  | { readonly type: 'files'; readonly endings: readonly string[] }
  | { readonly type: 'folders' }
  | { readonly type: 'words'; readonly words: readonly string[]; readonly many?: boolean }
  | { readonly type: 'contexts' }
  | { readonly type: 'server'; readonly asked: Asked }
  /** Only the person knows: a length of time, a number, a text. */
  | { readonly type: 'free' };

const files = (...endings: string[]): Kind => ({ type: 'files', endings });
const words = (...list: string[]): Kind => ({ type: 'words', words: list });
const several = (...list: string[]): Kind => ({ type: 'words', words: list, many: true });
const server = (asked: Asked): Kind => ({ type: 'server', asked });
const FREE: Kind = { type: 'free' };
const SPEC = files('yaml', 'yml');

/** What dead letters are grouped and chosen by. */
const KEYS = ['subject', 'consumer', 'reason', 'detail', 'day', 'hour', 'queue', 'state', 'header:', 'json:.'];
/** Those of them that a request has which did not die. */
const LIVING = ['subject', 'day', 'hour', 'queue', 'header:', 'json:.'];
const conditions = (keys: readonly string[]): Kind => words(...keys.map((key) => (/\W$/.test(key) ? key : `${key}=`)));

/** By `command --flag`, where a flag means something else there; `init` makes what is not on the server yet. */
const FLAGS_OF: Readonly<Record<string, Kind>> = {
  'dlq stats --by': several(...KEYS),
  'history --verb': words(
    'apply',
    'destroy',
    'replay',
    'rebuild',
    'purge',
    'import',
    'pause',
    'resume',
    'drain',
    'cancel',
  ),
  'request ls --where': conditions(LIVING),
  'init --queue': FREE,
  'init --subjects': FREE,
  'init --consumer': FREE,
  'init --replicas': words('1', '3', '5'),
  'status --for': several('synced', 'healthy', 'drained', 'dlq-empty'),
  'dev --cluster': words('1', '3', '5'),
};

const FLAGS: Readonly<Record<string, Kind>> = {
  file: SPEC,
  context: { type: 'contexts' },
  creds: files(),
  nkey: files(),
  tlscert: files(),
  tlskey: files(),
  tlsca: files(),
  out: files(),
  ids: files(),
  archive: files(),
  input: files(),
  rejects: files(),
  transform: files('mjs', 'js', 'ts', 'mts'),
  handler: files('js', 'mjs', 'ts', 'mts'),
  where: conditions(KEYS),
  dir: { type: 'folders' },
  queue: server('queues'),
  consumer: server('consumers'),
  subject: server('subjects'),
  to: server('subjects'),
  bucket: server('buckets'),
  system: server('systems'),
};

/** By `command ARG`. */
const ARGS_OF: Readonly<Record<string, Kind>> = {
  'apply spec': files('yaml', 'yml', 'plan', 'json'),
  'plan spec': files('yaml', 'yml', 'plan', 'json'),
  'dlq replays show id': server('replays'),
  'dlq replays stop id': server('running'),
  'request get id': server('requests'),
  'request show id': server('requests'),
  'request cancel id': server('requests'),
  'request send json': FREE,
};

const ARGS: Readonly<Record<string, Kind>> = {
  spec: SPEC,
  file: files('json', 'yaml', 'yml'),
  archive: files(),
  dir: { type: 'folders' },
  id: server('entries'),
  kind: server('kinds'),
  name: server('resources'),
  target: server('targets'),
};

/** Every name above, as it is typed. */
export const NAMED: readonly string[] = [
  ...Object.keys(FLAGS_OF),
  ...Object.keys(FLAGS).map((name) => `--${name}`),
  ...Object.keys(ARGS_OF),
  ...Object.keys(ARGS),
];

export function kindOfFlag(command: string, { name, options }: FlagEntry): Kind {
  if (options.length > 0) return words(...options);
  return FLAGS_OF[`${command} --${name}`] ?? FLAGS[name] ?? FREE;
}

export function kindOfArg(command: string, { name, options }: ArgEntry): Kind {
  if (options.length > 0) return words(...options);
  return ARGS_OF[`${command} ${name}`] ?? ARGS[name] ?? FREE;
}
