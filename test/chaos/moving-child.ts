// A migration as a process of its own, to be killed before or after any of its writes. Its arguments: url, `go`, `undo` or
// `naive`, the file with the migration, the write at which it dies (0: never), counted from the step of this name (empty:
// from the beginning), and how: `before`, `after` so many milliseconds, or `server-before` and `server-after`, which ask
// its parent to kill the server then. It says each step that it comes to, so that its parent knows at which it died.
import { readFileSync } from 'node:fs';
import { readMigrations } from '../../src/lib/ledger/migrations.ts';
import { mirrorConfig, parkedConfig, pausedConsumer, promotedConfig } from '../../src/lib/migrate/configs.ts';
import { executeMigration, undoMigration } from '../../src/lib/migrate/execute.ts';
import { tellStep } from '../../src/lib/migrate/read.ts';
import type { Event } from '../../src/lib/model/io.ts';
import { MIGRATION_STEPS, type Migration, type MigrationStep } from '../../src/lib/model/migration.ts';
import { orThrow } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { pauseUntil, writeConsumer } from '../../src/lib/nats/consumers.ts';
import { readStream, writeStream } from '../../src/lib/nats/streams.ts';
import { connectTo } from '../support/connected.ts';

/** What anybody would try: a copy, and once it has no lag, the names changed. */
async function naive(nats: Nats, migration: Migration): Promise<void> {
  const none = { messages: 0, bytes: 0 };
  for (const hop of migration.hops) {
    await writeStream(nats, 'create', hop.to, mirrorConfig(migration, hop));
    for (;;) {
      const { mirror } = await orThrow(readStream(nats, hop.to));
      if (mirror && mirror.activeMs >= 0 && mirror.lag === 0) break;
    }
    const { config } = await orThrow(readStream(nats, hop.from));
    await writeStream(nats, 'update', hop.from, parkedConfig(config));
    await writeStream(nats, 'update', hop.to, promotedConfig(migration, hop, none));
    await nats.api(`STREAM.DELETE.${hop.from}`);
  }
  const at = migration.hops.at(-1)!.to;
  for (const moved of migration.consumers) {
    await writeConsumer(nats, 'create', { stream: at, consumer: moved.to }, pausedConsumer(moved));
    await pauseUntil(nats, at, moved.to);
  }
}

const [url = '', mode = 'go', file = '', at = '0', aim = '', how = 'before', delay = '0'] = process.argv.slice(2);
const nats = await connectTo({ url }, { timeout: '10s' });
const say = (text: string) => process.stdout.write(`${text}\n`);
let writes = 0;
let isReached = aim === '';
const die = () => process.kill(process.pid, 'SIGKILL');
const watched = nats.behind({
  assertHeld() {
    if (!isReached) return;
    writes += 1;
    if (writes !== Number(at)) return;
    if (how === 'before') die();
    else if (how === 'after') setTimeout(die, Number(delay));
    else if (how === 'server-after') setTimeout(say, Number(delay), 'server');
    else {
      say('server');
      // Nothing leaves until it is dead.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  },
});
const asked = JSON.parse(readFileSync(file, 'utf8')) as Migration;
const begun = (await readMigrations(nats)).find(({ migration }) => migration.from === asked.from);
const migration = begun?.migration ?? asked;
const texts = new Map(MIGRATION_STEPS.map((step) => [`Moving ${migration.from}: ${tellStep(migration, step)}`, step]));
const moving = {
  io: {
    tell(event: Event) {
      const step = event.type === 'note' ? texts.get(event.text) : undefined;
      if (step === undefined) return;
      say(`at ${step}`);
      // A step may be over already, where the one before it did it.
      isReached ||= MIGRATION_STEPS.indexOf(step) >= MIGRATION_STEPS.indexOf(aim as MigrationStep);
    },
  },
  signal: new AbortController().signal,
  actor: { who: 'chaos', host: 'here', pid: process.pid },
  now: new Date(),
};
try {
  if (mode === 'undo') say('at undo');
  if (mode === 'naive') await naive(nats, migration);
  else if (mode === 'undo') await undoMigration(watched, migration, moving);
  else await executeMigration(watched, migration, moving);
  say(`done ${writes}`);
} catch (error) {
  say(`failed ${String((error as Error).message).slice(0, 300)}`);
  process.exitCode = 1;
}
await nats.close();
