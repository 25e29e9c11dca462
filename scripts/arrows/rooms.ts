/** What a room may do. docs/architecture.md shows the arrows; `npm run check` holds both to the code. */
export interface Room {
  /** Rooms whose files it may import, in the order of the table. */
  readonly imports: readonly string[];
  /** Packages from outside. */
  readonly packages?: readonly string[];
  /**
   * Files that may act: read or write files, open connections, start processes, set timers, look at the clock or at the
   * environment, draw by chance. Named by their path in the room; all, where acting is the work. Lengthening the list is
   * a visible act: everything else is a function from values to values.
   */
  readonly acts?: 'all' | readonly string[];
}

const WORDS = ['model', 'errors', 'facts'];

/** Every room of src, from the words to the commands. */
export const ROOMS: Readonly<Record<string, Room>> = {
  model: { imports: [] },
  errors: { imports: ['model'], packages: ['fastest-levenshtein'] },
  facts: { imports: ['model'] },
  files: { imports: ['errors'], acts: 'all' },
  spec: { imports: [...WORDS, 'files'], packages: ['yaml'] },
  desired: { imports: ['model', 'facts'] },
  canonical: { imports: ['model', 'facts'] },
  risk: { imports: ['model', 'facts', 'canonical'] },
  plan: { imports: [...WORDS, 'canonical', 'risk'], packages: ['zod'] },
  nats: { imports: [...WORDS, 'files'], packages: ['@nats-io/transport-node'], acts: 'all' },
  observed: { imports: [...WORDS, 'canonical', 'nats'], acts: ['read'] },
  apply: { imports: [...WORDS, 'nats'], acts: ['execute'] },
  ledger: { imports: [...WORDS, 'nats'], acts: ['actor', 'bucket', 'history', 'lock', 'replays', 'room', 'store'] },
  dlq: {
    imports: [...WORDS, 'nats', 'ledger'],
    acts: ['collect', 'follow', 'scan'],
  },
  replay: {
    imports: [...WORDS, 'files', 'nats', 'ledger', 'dlq'],
    acts: ['archive-file', 'edit', 'execute', 'follow', 'queue', 'want', 'transform'],
  },
  migrate: {
    imports: [...WORDS, 'nats', 'ledger', 'dlq', 'replay'],
    acts: ['gap', 'held', 'mirror', 'run', 'workers'],
  },
  requests: {
    imports: [...WORDS, 'files', 'nats', 'ledger', 'dlq'],
    acts: ['follow', 'send'],
  },
  queue: { imports: [...WORDS, 'nats'] },
  places: { imports: [...WORDS, 'nats', 'ledger', 'dlq'], acts: ['queues'] },
  health: { imports: [...WORDS, 'nats', 'observed', 'dlq'], acts: ['collect'] },
  worker: {
    imports: [...WORDS, 'nats', 'ledger'],
    acts: [
      'builtin',
      'execute',
      'failures',
      'handler-thread',
      'lease',
      'loop',
      'module-fault',
      'settle',
      'store',
      'supervise',
      'watched',
    ],
  },
  permissions: { imports: ['model', 'facts'] },
  monitoring: { imports: ['model', 'facts'] },
  convert: { imports: ['model', 'facts'], packages: ['yaml'] },
  devserver: { imports: [...WORDS, 'nats'], acts: 'all' },
  complete: { imports: ['model'] },
  operations: {
    imports: [
      ...WORDS,
      'files',
      'spec',
      'desired',
      'canonical',
      'risk',
      'plan',
      'nats',
      'observed',
      'apply',
      'ledger',
      'dlq',
      'replay',
      'migrate',
      'requests',
      'queue',
      'places',
      'health',
      'worker',
      'permissions',
      'monitoring',
      'convert',
      'devserver',
      'complete',
    ],
    packages: ['yaml'],
    acts: 'all',
  },
  ui: {
    imports: [...WORDS, 'files', 'complete'],
    packages: [
      '@inquirer/prompts',
      '@oclif/core',
      'chalk',
      'fast-string-width',
      'fast-wrap-ansi',
      'listr2',
      'supports-hyperlinks',
    ],
    acts: ['base-command', 'code-pages', 'host', 'host-tty', 'line-writer', 'pager', 'report', 'small-heap', 'stdout'],
  },
  console: {
    imports: ['model', 'errors', 'files', 'plan', 'operations', 'ui'],
    acts: ['downloads', 'host', 'keep', 'live', 'open', 'pages', 'plans', 'runs', 'server', 'session', 'views'],
  },
  commands: { imports: ['model', 'errors', 'plan', 'operations', 'ui', 'console'], packages: ['@oclif/core'] },
  page: {
    imports: ['model'],
    packages: ['@preact/signals', '@tanstack/virtual-core', 'preact', 'uplot'],
    acts: 'all',
  },
};

/** The files of src itself: where the program starts, and where a shell asks what can be typed. */
export const DOORS: Readonly<Record<string, Room>> = {
  'src/complete.ts': { imports: ['model', 'complete', 'operations', 'ui'], acts: 'all' },
  'src/main.ts': { imports: ['errors', 'complete', 'ui', 'src/complete.ts'], packages: ['@oclif/core'], acts: 'all' },
};

/** Files that import by a name which only their run knows: the command of a line. */
export const NAMES_MODULES: readonly string[] = ['src/main.ts'];

/** What one place spells for all; not where a person is told of it, in a text with blanks. */
export interface Spelling {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files or folders. */
  readonly places: readonly string[];
}

export const SPELLINGS: readonly Spelling[] = [
  {
    what: 'a name of the JetStream API',
    pattern:
      /\$JS\.API|\bDIRECT\.GET\b|\b(?:STREAM|CONSUMER)\.(?:CREATE|DELETE|DURABLE|INFO|LEADER|LIST|MSG|NAMES|PAUSE|PEER|PURGE|RESTORE|SNAPSHOT|UNPIN|UPDATE)\b/,
    places: ['nats', 'permissions', 'ui/render/permissions.ts', 'spec/rules/subjects.ts'].map(
      (place) => `src/lib/${place}`,
    ),
  },
  {
    what: 'the removal of a message',
    pattern: /\bSTREAM\.(?:MSG\.DELETE|PURGE)\b/,
    places: ['src/lib/nats/removal.ts', 'src/lib/permissions/roles.ts'],
  },
];

const NO_ROOM: Room = { imports: [] };

/** The name of the room that a file of src is in; the file itself for a door. */
export function roomOf(file: string): string {
  const [, first, second = ''] = file.split('/');
  // The console's page is a program of its own, for the browser.
  if (first === 'console') return 'page';
  return first === 'lib' ? second : first === 'commands' ? first : file;
}

export const ruleOf = (file: string): Room => ROOMS[roomOf(file)] ?? DOORS[file] ?? NO_ROOM;

/** Whether a file may act. */
export function mayAct(file: string): boolean {
  const { acts = [] } = ruleOf(file);
  return acts === 'all' || acts.some((name) => file === `src/lib/${roomOf(file)}/${name}.ts`);
}
