import { OpsError } from '../errors/ops-error.ts';
import { clockSymptom, expirySymptom, versionSymptoms, walkSymptoms, worstOf } from '../health/symptoms.ts';
import { readAppliedSpec } from '../ledger/store.ts';
import { findUnfinished } from '../migrate/read.ts';
import { type AccountUsage, limitedParts, type Usage } from '../model/account.ts';
import { leadTo } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Diagnosis, SettingSource, Symptom } from '../model/diagnosis.ts';
import { type Unfinished, waysOf } from '../model/migration.ts';
import { ROLES } from '../model/permissions.ts';
import type { LoadedSpec, Spec } from '../model/spec.ts';
import { readAccount } from '../nats/account.ts';
import { answerOf, orElse, orThrow } from '../nats/answer.ts';
import { connect, type Nats } from '../nats/connect.ts';
import { settingsFor } from '../nats/open.ts';
import { certificateDaysLeft, credentialsExpiry, type ProbeOptions, probeServer } from '../nats/probe.ts';
import { readSecret, shownReference } from '../nats/secret.ts';
import type { PathSetting, Settings } from '../nats/settings.ts';
import { askWhoAmI, type WhoAmI } from '../nats/whoami.ts';
import { lackingOf } from '../permissions/lacking.ts';
import { permissionsFor } from '../permissions/roles.ts';
import { chooseSources, loadForWork, type SpecChoice } from './spec-source.ts';

const DAY = 86_400_000;
const NAMED = 3;

export interface Diagnosed extends Diagnosis {
  /** Why no connection came about; absent where one did. */
  readonly fault?: OpsError;
}

/**
 * Walks from the settings to the permissions and tells where it goes wrong. Reads only.
 * @throws OpsError SPEC_*, USAGE, CONN_CONTEXT where not even the settings can be read; INTERRUPTED
 */
export async function doctorOperation(context: Context, choice: SpecChoice): Promise<Diagnosed> {
  const [source] = chooseSources(context, choice);
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  const settings = settingsFor(context, loaded);
  const now = context.now().getTime();
  const { options, symptoms: files } = readFiles(context, settings, now);
  const walks = await Promise.all(settings.servers.map((url) => probeServer(url, options)));
  const before = [...walks.flatMap(walkSymptoms), ...files];
  const { symptoms, fault } = await login(context, settings, loaded);
  const all = [...before, ...symptoms];
  const lead = leadTo(context.connection);
  const led = (one: Symptom): Symptom => (one.next === undefined ? one : { ...one, next: lead(one.next) });
  return { health: worstOf(all), settings: describe(context, settings), symptoms: all.map(led), fault };
}

/** The settings with what decided them; secrets only by kind. */
function describe(
  context: Context,
  { servers, auth, tls, timeoutMs, apiPrefix, inboxPrefix, chosenBy, sources }: Settings,
): SettingSource[] {
  const shown = (reference: string, base: string | undefined) =>
    shownReference(reference, { env: context.env, cwd: context.cwd, base });
  const kind =
    auth.type === 'creds' || auth.type === 'nkey' ? `${auth.type} ${shown(auth.reference, auth.base)}` : auth.type;
  const file = (setting: PathSetting | undefined) => (setting ? shown(setting.path, setting.base) : '');
  const values: Readonly<Record<string, string>> = {
    user: auth.type === 'user' ? auth.user : 'set',
    creds: kind,
    nkey: kind,
    tlscert: file(tls.cert),
    tlskey: file(tls.key),
    tlsca: file(tls.ca),
    timeout: `${timeoutMs} ms`,
    domain: apiPrefix,
    api_prefix: apiPrefix,
    inbox_prefix: inboxPrefix,
  };
  return [
    { name: 'server', value: servers.join(', '), source: chosenBy },
    ...Object.entries(sources).map(([name, source]) => ({ name, value: values[name] ?? 'set', source })),
    ...(auth.type === 'none' ? [{ name: 'credentials', value: 'none', source: 'nothing sets any' }] : []),
  ];
}

/** What is needed of files, and what of it expires. A file that cannot be read is a finding; the walk goes on. */
function readFiles(
  context: Context,
  { tls, auth, timeoutMs }: Settings,
  nowMs: number,
): { options: ProbeOptions; symptoms: Symptom[] } {
  const symptoms: Symptom[] = [];
  const place = { env: context.env, cwd: context.cwd };
  const read = (what: string, reference: () => string): string | undefined => {
    try {
      return reference();
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      symptoms.push({ id: what, status: 'critical', summary: error.message, next: error.hints[0] ?? '' });
      return undefined;
    }
  };
  const file = (what: string, setting: PathSetting | undefined) =>
    setting && read(what, () => readSecret(setting.path, what, { ...place, base: setting.base }));
  const cert = file('tlscert', tls.cert);
  const key = file('tlskey', tls.key);
  const ca = file('tlsca', tls.ca);
  const days = cert === undefined ? undefined : certificateDaysLeft(cert, nowMs);
  if (days !== undefined) symptoms.push(expirySymptom('tlscert', 'our client certificate', days, 'renew it'));
  if (auth.type === 'creds') {
    const creds = read('credentials', () => readSecret(auth.reference, 'creds', { ...place, base: auth.base }));
    const expiry = creds === undefined ? undefined : credentialsExpiry(creds);
    if (expiry !== undefined) {
      const left = Math.floor((expiry - nowMs) / DAY);
      symptoms.push(expirySymptom('credentials', 'the JWT of the credentials', left, 'make new ones with nsc'));
    } else if (creds !== undefined) {
      symptoms.push({ id: 'credentials', status: 'ok', summary: 'the JWT of the credentials does not expire' });
    }
  }
  const wantsTls = tls.required || tls.first || [cert, key, ca].some((one) => one !== undefined);
  const options = {
    timeoutMs,
    tlsFirst: tls.first,
    tls: wantsTls,
    nowMs,
    ca,
    cert,
    key,
  };
  return { options, symptoms };
}

/** Connects as any command would, and looks at what only a user of the server sees. */
async function login(
  context: Context,
  settings: Settings,
  loaded: LoadedSpec | undefined,
): Promise<{ symptoms: Symptom[]; fault?: OpsError }> {
  let nats: Nats;
  try {
    nats = await connect(settings, { signal: context.io.signal, env: context.env, cwd: context.cwd });
  } catch (error) {
    if (!(error instanceof OpsError) || error.code === 'INTERRUPTED') throw error;
    const next = error.hints[0];
    const summary = [error.message, error.why].filter(Boolean).join(': ');
    return { symptoms: [{ id: 'login', status: 'critical', summary, ...(next && { next }) }], fault: error };
  }
  try {
    const who = await askWhoAmI(nats);
    const { target } = nats;
    const jetstream = await jetstreamSymptoms(nats);
    const [spec, moves] = await Promise.all([
      loaded?.spec ?? (jetstream.works ? appliedSpec(nats) : undefined),
      jetstream.works ? orElse(answerOf(findUnfinished(nats)), { missing: [], denied: [] }) : [],
    ]);
    const replicas = Math.max(
      1,
      ...Object.values(spec?.queues ?? {}).map(({ config }) => Number(config.num_replicas ?? 1)),
    );
    return {
      symptoms: [
        {
          id: 'login',
          status: 'ok',
          summary: `user ${who?.user || 'unknown'} of account ${target.account} at ${target.url}`,
        },
        ...versionSymptoms({
          version: target.server.version,
          replicas,
          clustered: target.server.cluster !== undefined,
        }),
        ...jetstream.symptoms,
        ...moves.map(moveSymptom),
        clockSymptom(who),
        ...(who ? roleSymptoms(who, spec) : []),
      ],
      fault: jetstream.fault,
    };
  } finally {
    await nats.close();
  }
}

async function jetstreamSymptoms(nats: Nats): Promise<{ works: boolean; symptoms: Symptom[]; fault?: OpsError }> {
  try {
    const account = await readAccount(nats);
    if (account.is === 'denied') {
      const { message, hints } = account.error;
      return {
        works: true,
        symptoms: [{ id: 'jetstream', status: 'unknown', summary: message, next: hints[0] ?? '' }],
      };
    }
    const usage = await orThrow(account);
    return {
      works: true,
      symptoms: [{ id: 'jetstream', status: 'ok', summary: usageWords(usage) }],
    };
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const summary = [error.message, error.why].filter(Boolean).join(': ');
    return {
      works: false,
      symptoms: [{ id: 'jetstream', status: 'critical', summary, next: error.hints[0] ?? '' }],
      fault: error,
    };
  }
}

/** What somebody has begun to move, whatever system it is of. */
const moveSymptom = ({ migration: { kind, name }, where, meanwhile, canUndo, who, since }: Unfinished): Symptom => ({
  id: 'migration',
  status: 'warn',
  summary: `${kind} ${name} is half moved, by ${who} since ${since}: ${where}; ${meanwhile}`,
  next: waysOf({ canUndo }),
});

async function appliedSpec(nats: Nats): Promise<Spec | undefined> {
  try {
    return (await readAppliedSpec(nats)).spec;
  } catch (error) {
    if (error instanceof OpsError && error.code !== 'INTERRUPTED') return undefined;
    throw error;
  }
}

/** What the account, or each of its tiers, uses, beside each limit that it has. */
export const usageWords = (account: AccountUsage): string =>
  limitedParts(account)
    .map(({ of, usage }) => `${partWords(usage)}${of}`)
    .join('; ');

function partWords(usage: Usage): string {
  const { max_storage: file, max_memory: memory, max_streams: streams, max_consumers: consumers } = usage.limits;
  const of = (limit: number, least = 1) => (limit >= least ? ` of ${limit}` : '');
  const reserved =
    file >= 0 && usage.reserved_storage > 0 ? ` and ${usage.reserved_storage} reserved by max_bytes` : '';
  return [
    `${usage.streams}${of(streams)} streams`,
    `${usage.consumers}${of(consumers)} consumers`,
    `${usage.storage}${of(file, 0)} bytes used${reserved}`,
    ...(memory >= 0 ? [`${usage.memory}${of(memory, 0)} bytes of memory`] : []),
    ...(file < 0 && memory < 0 && streams < 1 && consumers < 1 ? ['no limit of the account'] : []),
  ].join(', ');
}

/** For whom this user could work, by what the server says of its permissions. Nothing is tried. */
function roleSymptoms(who: WhoAmI, spec: Spec | undefined): Symptom[] {
  if (!spec) {
    const summary = 'which role this user could take is told for a spec: name one, or apply one';
    return [{ id: 'permissions', status: 'skipped', summary }];
  }
  return ROLES.map((role): Symptom => {
    const lacking = lackingOf(permissionsFor(spec, role), who);
    const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : '';
    return {
      id: `permissions.${role}`,
      status: lacking.length === 0 ? 'ok' : 'skipped',
      summary:
        lacking.length === 0
          ? `this user may do all of it`
          : `this user may not ${lacking.slice(0, NAMED).join(', ')}${more}`,
    };
  });
}
