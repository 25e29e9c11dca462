import { type MigrationRecord, readMigrations } from '../ledger/migrations.ts';
import type { Migration, MigrationStep, Unfinished } from '../model/migration.ts';
import type { Nats } from '../nats/connect.ts';
import { lookAt } from './look.ts';
import { canUndo, isCopyLost, recognise, strangersIn } from './recognise.ts';

/** The migrations that were begun and not ended, each with its step. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function findUnfinished(nats: Nats): Promise<Unfinished[]> {
  const records = await readMigrations(nats);
  return Promise.all(records.map((record) => standing(nats, record)));
}

async function standing(nats: Nats, { migration, who, since, made }: MigrationRecord): Promise<Unfinished> {
  const found = await lookAt(nats, migration);
  const step = recognise(migration, found, made);
  const others = strangersIn(migration, found, made);
  const lost = isCopyLost(migration, found, made) ? `; ${tellLost(migration)}` : '';
  return {
    migration,
    step: step ?? 'unknown',
    where: others.length > 0 ? tellStrangers(others) : tellStep(migration, step ?? 'unknown'),
    canUndo: step !== undefined && canUndo(migration, step),
    meanwhile: step === undefined ? UNKNOWN : `${MEANWHILE[step]}${lost}`,
    who,
    since,
  };
}

const UNKNOWN = 'the streams are not as a migration leaves them: somebody made or removed one meanwhile';

const tellStrangers = (names: readonly string[]): string =>
  `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not of it: somebody made ${names.length === 1 ? 'it' : 'them'} anew`;

/** What the server has kept for a copy looks dead once that is gone. */
export const tellLost = ({ hops, from }: Migration): string =>
  `${hops[0]?.to} was removed before it confirmed all: of ${from} what workers answered while it was copied may be stored still, and is not to be told from what died unheard`;

const PAUSED = 'workers may be paused';

/** What people have to know of each step at which it may stand. */
const MEANWHILE: Readonly<Record<MigrationStep, string>> = {
  intended: 'nothing is touched yet',
  copying: `a copy is made; publishers go on, ${PAUSED}`,
  parked: `nobody takes what is published, and workers are paused`,
  promoted: 'the copy takes what is published; workers are paused',
  dropped: 'the copy has all and takes what is published; the old one is gone, and workers find nothing',
  recopying: 'the copy takes what is published, and is copied back to its name; workers are paused',
  reparked: 'nobody takes what is published, and workers are paused',
  repromoted: 'it has its name again and takes what is published; workers may be paused',
  removed: 'the old consumer is gone and the new one is not there: workers find nothing',
  made: 'the new consumer is there, and paused',
  done: 'all is done but to forget it',
};

/** What a step is called where people read it: `copying REQUESTS to REQUESTS_moving`. */
export function tellStep({ hops, from, name }: Migration, step: MigrationStep | 'unknown'): string {
  const [hop, second] = hops;
  switch (step) {
    case 'copying':
      return `copying ${hop?.from} to ${hop?.to}`;
    case 'parked':
      return `${hop?.from} is closed, ${hop?.to} is not open yet`;
    case 'promoted':
      return `${hop?.to} is open, ${hop?.from} is still there`;
    case 'dropped':
      return `${hop?.from} is gone, ${hop?.to} is open`;
    case 'recopying':
      return `copying ${second?.from} to ${second?.to}`;
    case 'reparked':
      return `${second?.from} is closed, ${second?.to} is not open yet`;
    case 'repromoted':
      return `${second?.to} is open, ${second?.from} is still there`;
    case 'removed':
      return from === name
        ? `${from} is removed, and not made again yet`
        : `${from} is removed, ${name} is not made yet`;
    case 'made':
      return from === name ? `${name} is made again, and paused` : `${name} is made, and paused`;
    default:
      return step;
  }
}
