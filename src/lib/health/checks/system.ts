import { defectsOf } from '../../facts/defects.ts';
import { atLeast, OLDEST_SERVER } from '../../facts/versions.ts';
import { limitedParts } from '../../model/account.ts';
import type { Check } from '../../model/verdict.ts';
import { aboutBytes, checkOf, percentOf, plural, rate } from '../check.ts';
import { ROUND_TRIP } from '../round-trip.ts';
import type { Snapshot } from '../snapshot.ts';

/** In percent. */
const ACCOUNT = { warn: 70, critical: 90 };

/** Connection, server version, its defects, the account's limits. */
export const systemChecks = (snapshot: Snapshot): Check[] => [
  connectionCheck(snapshot),
  serverCheck(snapshot),
  defectsCheck(snapshot),
  storageCheck(snapshot),
];

function connectionCheck({ rttMs, target }: Snapshot): Check {
  const value = Math.round(rttMs * 100) / 100;
  return checkOf('connection', {
    status: rate(rttMs, ROUND_TRIP),
    summary: `${target.url} answers in ${rttMs < 10 ? value : Math.round(rttMs)} ms`,
    value,
    threshold: ROUND_TRIP,
    next: 'osapi-ops doctor',
  });
}

function serverCheck({ target: { server } }: Snapshot): Check {
  const isOld = !atLeast(server.version, OLDEST_SERVER);
  const oldest = OLDEST_SERVER.split('.').slice(0, 2).join('.');
  return checkOf('server', {
    status: isOld ? 'critical' : 'ok',
    summary: isOld
      ? `nats-server ${server.version} is older than ${oldest}, the oldest this design works on`
      : `nats-server ${server.version}${server.cluster ? `, cluster ${server.cluster}` : ''}`,
    next: 'osapi-ops doctor',
  });
}

function defectsCheck({ target: { server }, queues }: Snapshot): Check {
  const replicas = Math.max(1, ...queues.map(({ stream }) => Number(stream?.config.num_replicas ?? 1)));
  const defects = defectsOf({ version: server.version, replicas, clustered: server.cluster !== undefined });
  const grave = defects.filter(({ severity }) => severity === 'warn');
  return checkOf('defects', {
    status: grave.length > 0 ? 'warn' : 'ok',
    summary:
      grave.length > 0
        ? grave.map(({ effect, source, advice }) => `${effect} (${source}); ${advice}`).join('. ')
        : `no defect of ${server.version} is known that loses messages of this system`,
    value: grave.length,
    threshold: { warn: 1, critical: null },
    next: 'osapi-ops doctor',
  });
}

function storageCheck({ account }: Snapshot): Check {
  if (!account) {
    const summary = 'this user may not read the limits of the account';
    return checkOf('storage', { status: 'unknown', summary, next: 'osapi-ops doctor' });
  }
  const rows = limitedParts(account)
    .flatMap(({ of, usage: { storage, memory, streams, consumers, limits } }) => [
      { what: `storage${of}`, used: storage, limit: limits.max_storage, show: aboutBytes },
      { what: `memory${of}`, used: memory, limit: limits.max_memory, show: aboutBytes },
      { what: `streams${of}`, used: streams, limit: limits.max_streams, show: String },
      { what: `consumers${of}`, used: consumers, limit: limits.max_consumers, show: String },
    ])
    .filter(({ limit }) => limit > 0)
    .map((row) => ({ ...row, percent: percentOf(row.used, row.limit) }))
    .sort((a, b) => b.percent - a.percent);
  const [worst] = rows;
  if (!worst) {
    const summary = `${aboutBytes(account.storage)} stored, ${plural(account.streams, 'stream')}; the account has no limits`;
    return checkOf('storage', { status: 'ok', summary });
  }
  return checkOf('storage', {
    status: rate(worst.percent, ACCOUNT),
    summary: `${worst.what}: ${worst.show(worst.used)} of ${worst.show(worst.limit)} that the account may use (${worst.percent} %)`,
    value: worst.percent,
    threshold: ACCOUNT,
    next: 'nats account info',
  });
}
