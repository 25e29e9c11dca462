import { createHash, randomBytes } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';
import type { Actor } from '../model/history.ts';
import { type Config, isObject, stableText } from '../model/json.ts';
import type { Filled } from '../model/plan.ts';
import type { ResourceKey } from '../model/resource.ts';
import { withoutUser } from '../model/server-url.ts';
import type { Spec } from '../model/spec.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { KvEntry } from '../nats/port.ts';
import { mayBePath } from '../nats/secret.ts';
import { ensureLedger, ledger, purgeKeys } from './bucket.ts';
import { fromToken, ledgerKey } from './key.ts';
import { pack, unpack } from './pack.ts';
import { writeLedger } from './room.ts';
import { isBody, isHead } from './shape.ts';

const FORMAT = 1;

/** One earlier version of a system. */
export interface AppliedVersion {
  readonly digest: string;
  /** RFC 3339. */
  readonly at: string;
  readonly who: string;
}

/** What the ledger says of a system without its spec. */
export interface AppliedHead extends Actor, AppliedVersion {
  readonly system: string;
  readonly tool: string;
  /** The server's version then. */
  readonly server: string;
  /** Versions applied before this one, newest first. */
  readonly previous: readonly AppliedVersion[];
}

/** What was applied last. Fits as `lastApplied` of a plan. */
export interface Applied extends AppliedHead {
  readonly spec: Spec;
  readonly configs: Readonly<Record<ResourceKey, Config>>;
  readonly filled: Filled;
}

/** The head as stored: small bodies are inside, others in parts that were written before it. */
interface StoredHead extends AppliedHead {
  readonly format: number;
  readonly body?: string;
  readonly write?: string;
  readonly parts: number;
}

/** How many earlier versions a head remembers. */
const REMEMBERED = 50;

/** Where a path belongs, and somebody may have put what is in the file. */
const PATHS = new Set(['creds', 'nkey', 'tls_cert', 'tls_key', 'tls_ca']);

/** A spec without what must not be kept: passwords, tokens, users. */
export function withoutSecrets(spec: Spec): Spec {
  const { password: _password, token: _token, user: _user, ...connection } = spec.connection;
  const servers = connection.servers?.flatMap((url) => withoutUser(url) ?? []);
  const safe = Object.fromEntries(
    Object.entries(connection).filter(([name, value]) => !PATHS.has(name) || mayBePath(String(value))),
  );
  return { ...spec, connection: { ...safe, ...(servers && { servers }) } };
}

/** Names a spec by its content: the same for the same system, however it was written. */
export const specDigest = (spec: Spec): string =>
  createHash('sha256')
    .update(stableText(withoutSecrets(spec)))
    .digest('hex')
    .slice(0, 32);

const damaged = (system: string, cause?: unknown): OpsError =>
  new OpsError('NOT_FOUND', `what the ledger has of ${system} cannot be read`, {
    where: `bucket osapi_ops, key ${ledgerKey.applied(system)}`,
    why: 'It was damaged, or written by a newer version of this tool.',
    hints: ['apply the spec again: that writes it anew', 'or update osapi-ops'],
    cause,
  });

function parseHead(value: Uint8Array, system: string): StoredHead {
  let head: unknown;
  try {
    head = JSON.parse(new TextDecoder().decode(value));
  } catch (error) {
    throw damaged(system, error);
  }
  if (!isObject(head) || head.format !== FORMAT || !isHead(head)) throw damaged(system);
  return head as unknown as StoredHead;
}

function publicHead({ format: _format, body: _body, write: _write, parts: _parts, ...head }: StoredHead): AppliedHead {
  return head;
}

/**
 * What was applied last of a system; `undefined` where nothing was. Its head may have been read already.
 * @throws OpsError NOT_FOUND where the entry is damaged; CONN_*, DENIED_SUBJECT
 */
export async function readLastApplied(nats: Nats, system: string, read?: KvEntry): Promise<Applied | undefined> {
  const kv = ledger(nats);
  // A part can vanish between head and part when another run writes: then the new head is read.
  for (let attempt = 0; attempt < 3; attempt++) {
    const entry = attempt === 0 && read ? read : await kv.get(ledgerKey.applied(system));
    if (!entry) return undefined;
    const head = parseHead(entry.value, system);
    const indexes = Array.from({ length: head.parts }, (_, index) => index);
    const parts = await pipelined(indexes, 16, (index) => kv.get(ledgerKey.part(system, head.write ?? '', index)));
    if (parts.some((part) => !part)) continue;
    try {
      const pieces = head.body !== undefined ? [Buffer.from(head.body, 'base64')] : parts.map((part) => part!.value);
      const read = unpack(pieces);
      if (!isBody(read)) break;
      const body = read as Pick<Applied, 'spec' | 'configs' | 'filled'>;
      return { ...publicHead(head), spec: body.spec, configs: body.configs, filled: body.filled ?? {} };
    } catch (error) {
      throw damaged(system, error);
    }
  }
  throw damaged(system);
}

const systemOf = ({ key }: KvEntry): string => fromToken(key.slice('applied.'.length));

/** Names of all systems that were applied to this server and not destroyed since. */
export const listSystems = async (nats: Nats): Promise<string[]> =>
  (await ledger(nats).values('applied.*')).map(systemOf);

/** What was applied last of each of them. @throws as `readLastApplied` */
export async function readAllApplied(nats: Nats): Promise<Applied[]> {
  const heads = await ledger(nats).values('applied.*');
  const all = await pipelined(heads, 8, (head) => readLastApplied(nats, systemOf(head), head));
  return all.filter((applied) => applied !== undefined);
}

export interface AppliedRecord {
  readonly system: string;
  readonly spec: Spec;
  readonly configs: Readonly<Record<ResourceKey, Config>>;
  readonly filled?: Filled;
  readonly actor: Actor;
  readonly at: Date;
  readonly tool: string;
  /** What the ledger had, where it was read. */
  readonly before?: AppliedHead;
}

/** The most replicas any resource asks for: the ledger should live as long as what it describes. */
export const largestReplicas = (configs: Readonly<Record<string, Config>>): number =>
  Math.max(1, ...Object.values(configs).map((config) => Number(config.num_replicas ?? 1)));

/** Bodies below this many bytes go into the head itself, so that one write carries all. */
const INLINE = 128 * 1024;

/**
 * Writes down what is applied now. Parts first, head last: killed in between, the old head and its parts still stand.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function recordApplied(nats: Nats, record: AppliedRecord): Promise<void> {
  const replicas = largestReplicas(record.configs);
  await ensureLedger(nats, replicas);
  await writeLedger(
    nats,
    () => replicas,
    () => writeApplied(nats, record),
  );
}

async function writeApplied(nats: Nats, record: AppliedRecord): Promise<void> {
  const { system, before } = record;
  const kv = ledger(nats);
  const room = nats.target.server.max_payload - 4096;
  const spec = withoutSecrets(record.spec);
  const pieces = pack({ spec, configs: record.configs, filled: record.filled ?? {} }, Math.min(room, 512 * 1024));
  const digest = specDigest(spec);
  const inline = pieces.length === 1 && pieces[0]!.length * 1.4 < Math.min(INLINE, room / 2);
  const write = randomBytes(6).toString('hex');
  if (!inline) {
    await pipelined(pieces, 8, (piece, index) => kv.put(ledgerKey.part(system, write, index), piece, { finish: true }));
  }
  const earlier = before
    ? [{ digest: before.digest, at: before.at, who: before.who }, ...before.previous].filter((v) => v.digest !== digest)
    : [];
  const head: StoredHead = {
    format: FORMAT,
    system,
    digest,
    at: record.at.toISOString(),
    ...record.actor,
    tool: record.tool,
    server: nats.target.server.version,
    previous: earlier.slice(0, REMEMBERED),
    ...(inline ? { body: Buffer.from(pieces[0]!).toString('base64'), parts: 0 } : { write, parts: pieces.length }),
  };
  await kv.put(ledgerKey.applied(system), JSON.stringify(head), { finish: true });
  if (!inline) await removeOldParts(nats, system, write);
}

/** Parts of other writes: replaced ones, and those of runs that were killed before their head. */
const removeOldParts = async (nats: Nats, system: string, current: string): Promise<void> =>
  removeParts(nats, system, await oldParts(nats, system, current));

async function oldParts(nats: Nats, system: string, current: string): Promise<string[]> {
  const prefix = ledgerKey.part(system, '', '>').slice(0, -'.>'.length);
  const keys = await ledger(nats).keys(`${prefix}*.*`);
  const writes = new Set(keys.map((key) => key.slice(prefix.length).split('.')[0]!));
  writes.delete(current);
  return [...writes];
}

async function removeParts(nats: Nats, system: string, writes: readonly string[]): Promise<void> {
  await pipelined(writes, 8, (write) => purgeKeys(nats, ledgerKey.part(system, write, '>')));
}

/** Forgets a system that was destroyed, which may be known to be there; its history stays. */
export async function forgetApplied(nats: Nats, system: string, isKnown = false): Promise<void> {
  const kv = ledger(nats);
  if (!isKnown && !(await kv.get(ledgerKey.applied(system)))) return;
  // A head without its parts is a system that cannot be read: it goes first, the parts are looked up meanwhile.
  const parts = oldParts(nats, system, '');
  parts.catch(() => {});
  await kv.delete(ledgerKey.applied(system));
  await removeParts(nats, system, await parts);
}

/**
 * The spec last applied to this server, for commands that were given none; of several systems that of `system`.
 * @throws OpsError USAGE_NO_SPEC where there is none, USAGE_AMBIGUOUS_SPEC where there are several
 */
export async function readAppliedSpec(nats: Nats, system?: string): Promise<Applied> {
  const every = await readAllApplied(nats);
  const all = system === undefined ? every : every.filter((one) => one.system === system);
  if (all.length > 1) {
    throw new OpsError('USAGE_AMBIGUOUS_SPEC', `several systems were applied to ${nats.target.url}`, {
      where: `bucket osapi_ops on ${nats.target.url}`,
      why: `They are ${all.map(({ system }) => system).join(', ')}; nothing here guesses between them.`,
      hints: [
        'name the spec: as an argument, with -f FILE, or in OSAPI_OPS_SPEC',
        '`osapi-ops status --all` looks at all of them',
      ],
    });
  }
  if (all[0]) return all[0];
  throw new OpsError('USAGE_NO_SPEC', 'no spec was named, and none was ever applied to this server', {
    where: `bucket osapi_ops on ${nats.target.url}`,
    why: 'A spec is looked for as argument, -f, OSAPI_OPS_SPEC, ./osapi-ops.yaml, and in the ledger of the server.',
    hints: ['name one, or write one with `osapi-ops init`'],
  });
}
