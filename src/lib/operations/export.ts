import { parse } from 'yaml';
import { BACKING } from '../canonical/bucket.ts';
import { canonicalObserved, streamLookup } from '../canonical/resource.ts';
import { unknownFields, unknownValues } from '../canonical/unknown.ts';
import { isEmptySpec, placeFound } from '../convert/assemble.ts';
import type { Found } from '../convert/found.ts';
import { toNack } from '../convert/to-nack.ts';
import { toTerraform } from '../convert/to-terraform.ts';
import type { Outgoing } from '../convert/write-fields.ts';
import { withoutMonitor } from '../desired/monitor.ts';
import { OpsError } from '../errors/ops-error.ts';
import { capturesOf, serves } from '../facts/captures.ts';
import { tableFor } from '../facts/fields.ts';
import { LEDGER_BUCKET, OWN_PREFIX, SERVER_PREFIX } from '../facts/names.ts';
import { type Applied, readLastApplied } from '../ledger/store.ts';
import type { Context } from '../model/context.ts';
import { type Config, isObject } from '../model/json.ts';
import { keyOf, type Observed, type ObservedResource, type ResourceKey, splitConsumerName } from '../model/resource.ts';
import type { QueueSpec, Spec } from '../model/spec.ts';
import { withNats } from '../nats/open.ts';
import { ownerMark, scanAll } from '../observed/scan.ts';
import { findQueues } from '../places/queues.ts';
import { HEALTH_DEFAULTS } from '../spec/assemble.ts';
import { printSpec, withoutDefaults } from '../spec/print.ts';

export interface ExportOptions {
  /** Streams, buckets or systems; all of the account where none is named. */
  readonly names?: readonly string[];
  /** Another tool's words instead of a spec's. */
  readonly to?: ExportTarget;
  /** The line that names a system, where it is not `export`'s own. */
  readonly naming?: string;
}

const TARGETS = { nack: toNack, terraform: toTerraform };

export type ExportTarget = keyof typeof TARGETS;

/** Something live that a spec has no place for. */
export interface NotExported {
  readonly resource: ResourceKey;
  readonly what: string;
}

export interface ExportResult {
  /** The spec as YAML text, or the other tool's files. */
  readonly text: string;
  readonly system: string;
  readonly spec: Config;
  /** Where another tool's words were asked for: what it has for each resource. */
  readonly resources?: readonly Config[];
  readonly leftOut: readonly NotExported[];
}

/**
 * What is live as a spec. `plan` of it finds no difference, but for the owner mark of what has none yet.
 * @throws OpsError NOT_FOUND, USAGE_AMBIGUOUS_SPEC where several systems are live and none is named, CONN_*, DENIED_*
 */
export async function exportOperation(context: Context, options: ExportOptions = {}): Promise<ExportResult> {
  return withNats(context, undefined, async (nats) => {
    const all = withoutLedger(await scanAll(nats));
    const chosen = choose(all, options);
    const { version } = nats.target.server;
    const leftOut = options.names?.length ? [] : unmarked(all, chosen);
    const found = chosen.flatMap((resource) => toFound(resource, all, version, leftOut));
    const place = (queues: readonly string[]) => placeFound(found, { health: HEALTH_DEFAULTS, queues });
    // A kept stream is a queue too where a DLQ of many holds deaths of it: that is not in its configuration.
    const seen = (await findQueues(nats).catch(() => [])).map(({ queue }) => queue);
    const bare = place(seen);
    if (isEmptySpec(bare.spec)) {
      throw new OpsError('NOT_FOUND', `there is nothing to export on ${nats.target.url}`, {
        where: `account ${nats.target.account}`,
        why: 'The account holds no stream and no bucket.',
        hints: ['`osapi-ops init` writes a spec to begin with'],
      });
    }
    // Damaged or denied, the ledger only costs the parts that the server itself does not hold.
    const applied = await readLastApplied(nats, bare.spec.name).catch(() => undefined);
    const { spec, leftOut: unplaced } = applied ? place([...seen, ...Object.keys(applied.spec.queues)]) : bare;
    for (const { path, why } of unplaced) leftOut.push({ resource: path as ResourceKey, what: why });
    const whole = withoutDefaults(withoutMonitor(likeApplied(spec, applied), applied?.spec), version);
    const header = `Exported by osapi-ops from ${nats.target.url}, account ${nats.target.account}.`;
    const text = printSpec(whole, header);
    const exported = { text, system: whole.name, spec: parse(text) as Config, leftOut };
    return options.to ? { ...exported, ...rendered(options.to, { found, version, header, leftOut }) } : exported;
  });
}

interface Rendering {
  readonly found: readonly Found[];
  readonly version: string;
  readonly header: string;
  readonly leftOut: readonly NotExported[];
}

/** The same resources in another tool's words; what the spec has no place for, the other tool has not either. */
function rendered(to: ExportTarget, { found, version, header, leftOut }: Rendering) {
  const { text, values, leftOut: unspoken } = TARGETS[to](found, version);
  const rows = unspoken.map(({ resource, what }) => ({ resource: liveKey(resource), what }));
  return { text: `# ${header}\n${text}`, resources: values, leftOut: [...leftOut, ...rows] };
}

const liveKey = ({ kind, name, stream }: Outgoing): ResourceKey =>
  keyOf({ kind, name: kind === 'consumer' ? `${stream}/${name}` : name });

function withoutLedger({ resources }: Observed): ReadonlyMap<ResourceKey, ObservedResource> {
  return new Map([...resources].filter(([key]) => key !== `bucket ${LEDGER_BUCKET}`));
}

type Live = ReadonlyMap<ResourceKey, ObservedResource>;

/** The resources meant by the names; without names, the one system there is, or everything where nothing is marked. */
function choose(all: Live, { names = [], naming = 'osapi-ops export' }: ExportOptions): ObservedResource[] {
  const resources = [...all.values()];
  const systems = [...new Set(resources.flatMap(({ config }) => ownerMark(config) ?? []))].sort();
  if (names.length === 0) {
    if (systems.length > 1) {
      throw new OpsError('USAGE_AMBIGUOUS_SPEC', `several systems are live: ${systems.join(', ')}`, {
        why: 'One spec is one system, and nothing here guesses between them.',
        hints: [`name one: ${naming} ${systems[0]}`],
      });
    }
    const [system] = systems;
    return system === undefined ? resources : ownedBy(resources, system);
  }
  const picked = new Map<ResourceKey, ObservedResource>();
  for (const name of names) {
    const found = systems.includes(name) ? ownedBy(resources, name) : named(resources, name);
    if (found.length === 0) throw unknownName(name, resources, systems);
    for (const resource of found) picked.set(keyOf(resource), resource);
  }
  return [...picked.values()];
}

/** Streams and buckets of nobody's, where the one system there is was meant. */
const unmarked = (all: Live, chosen: readonly ObservedResource[]): NotExported[] =>
  [...all.values()]
    .filter((resource) => resource.kind !== 'consumer' && !chosen.includes(resource))
    .map((resource) => ({ resource: keyOf(resource), what: 'it is of no system; export it by its name' }));

const ownedBy = (resources: readonly ObservedResource[], system: string): ObservedResource[] =>
  resources.filter(({ config }) => ownerMark(config) === system);

/** A stream with its consumers and its dead letters, or a bucket. */
function named(resources: readonly ObservedResource[], name: string): ObservedResource[] {
  const isDlq = ({ kind, config, name: stream }: ObservedResource) =>
    kind === 'stream' && stream !== name && serves(capturesOf({ name: stream, subjects: config.subjects ?? [] }), name);
  return resources.filter(
    (resource) =>
      resource.name === name ||
      (resource.kind === 'consumer' && splitConsumerName(resource.name).stream === name) ||
      isDlq(resource),
  );
}

function unknownName(name: string, resources: readonly ObservedResource[], systems: readonly string[]): OpsError {
  const names = [...systems, ...resources.filter(({ kind }) => kind !== 'consumer').map((resource) => resource.name)];
  return new OpsError('NOT_FOUND', `there is no stream, bucket or system ${name}`, {
    hints: [names.length > 0 ? `there are: ${names.slice(0, 20).join(', ')}` : 'the account is empty'],
  });
}

/** A live resource as `placeFound` takes it; what cannot be written in a spec is told. */
function toFound(resource: ObservedResource, all: Live, version: string, leftOut: NotExported[]): Found[] {
  const { kind, config } = resource;
  const key = keyOf(resource);
  const leave = (what: string) => leftOut.push({ resource: key, what });
  const isEphemeral = kind === 'consumer' && !config.durable_name;
  if (isEphemeral) {
    leave('it is not durable: whoever made it makes it again');
    return [];
  }
  const unknown = unknownFields(kind, config);
  if (unknown.length > 0) leave(`${unknown.join(', ')}: unknown to this version`);
  const canonical = canonicalObserved(
    resource,
    tableFor(version),
    streamLookup((each) => all.get(each)),
  );
  const backing = Object.keys(canonical).filter((field) => field.startsWith(BACKING));
  if (backing.length > 0)
    leave(`its stream is not as a bucket's should be in ${backing.map((f) => f.slice(BACKING.length)).join(', ')}`);
  const owner = ownerMark(config);
  const base = {
    file: 'the server',
    path: key,
    config: written(canonical, unknownValues(kind, config)),
    owner,
  };
  if (kind !== 'consumer') return [{ ...base, kind, name: resource.name }];
  const { stream, consumer } = splitConsumerName(resource.name);
  return [{ ...base, kind, name: consumer, stream }];
}

/** What a spec may say of a live configuration: without marks that the server or this tool keeps, and what is unknown. */
function written(config: Config, unknown: Config): Config {
  const entries = Object.entries(config).filter(([name]) => !name.startsWith(BACKING) && !(name in unknown));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === 'metadata' && isObject(value) ? ownWords(value) : value]),
  );
}

const ownWords = (metadata: Config): Config =>
  Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !key.startsWith(OWN_PREFIX) && !key.startsWith(SERVER_PREFIX)),
  );

/** Puts back what a server does not hold: which bucket is a queue's, thresholds, descriptions. */
function likeApplied(spec: Spec, applied: Applied | undefined): Spec {
  if (!applied) return spec;
  const buckets = { ...spec.buckets };
  const queues = Object.entries(spec.queues).map(([name, queue]): [string, QueueSpec] => {
    const before = applied.spec.queues[name];
    if (!before) return [name, queue];
    const bucket = before.responses?.bucket;
    const config = bucket === undefined ? undefined : buckets[bucket];
    if (bucket === undefined || config === undefined || queue.responses)
      return [name, { ...queue, health: before.health }];
    delete buckets[bucket];
    return [name, { ...queue, responses: { bucket, config }, health: before.health }];
  });
  const { description, min_server_version } = applied.spec;
  return {
    ...spec,
    ...(description !== undefined && { description }),
    ...(min_server_version !== undefined && { min_server_version }),
    queues: Object.fromEntries(queues),
    buckets,
  };
}
