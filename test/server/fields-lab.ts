import { connect, type NatsConnection } from '@nats-io/transport-node';
import { tableFor } from '../../src/lib/facts/fields.ts';
import { bucketStream, OWNER_KEY } from '../../src/lib/facts/names.ts';
import type { Config, Json } from '../../src/lib/model/json.ts';
import type { Step } from '../../src/lib/model/plan.ts';
import {
  type Desired,
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
  type Target,
} from '../../src/lib/model/resource.ts';
import { bucketWire, consumerWire, streamWire } from '../../src/lib/plan/wire.ts';

/** A refusal of the JetStream API. */
export class Refused extends Error {
  readonly errCode: number;
  constructor(errCode: number, text: string) {
    super(`${errCode} ${text}`);
    this.errCode = errCode;
  }
}

export const SYSTEM = 'lab';
const MARK = { [OWNER_KEY]: SYSTEM };

/** A bare connection with just enough to carry out a plan's steps and look at what became of them. */
export class Lab {
  readonly nc: NatsConnection;
  constructor(nc: NatsConnection) {
    this.nc = nc;
  }

  static async open(url: string): Promise<Lab> {
    return new Lab(await connect({ servers: url, reconnect: false }));
  }

  get version(): string {
    return this.nc.info!.version;
  }

  async api(subject: string, body?: object): Promise<Config> {
    const answer = await this.nc.request(`$JS.API.${subject}`, body ? JSON.stringify(body) : '', { timeout: 10_000 });
    const result = answer.json<Config & { error?: { err_code: number; description: string } }>();
    if (result.error) throw new Refused(result.error.err_code, result.error.description);
    return result;
  }

  async read(keys: Iterable<ResourceKey>): Promise<Observed> {
    const resources = new Map<ResourceKey, ObservedResource>();
    for (const key of keys) {
      const resource = await this.readOne(key);
      if (resource) resources.set(key, resource);
    }
    return { target: this.target, resources };
  }

  private async readOne(key: ResourceKey): Promise<ObservedResource | undefined> {
    const [kind, name] = key.split(' ') as [ObservedResource['kind'], string];
    const { stream, consumer } = kind === 'consumer' ? splitConsumerName(name) : { stream: name, consumer: '' };
    const subject =
      kind === 'consumer'
        ? `CONSUMER.INFO.${stream}.${consumer}`
        : `STREAM.INFO.${kind === 'bucket' ? bucketStream(name) : name}`;
    const info = await this.api(subject).catch((error) => {
      if (error instanceof Refused && [10014, 10059].includes(error.errCode)) return undefined;
      throw error;
    });
    if (!info) return undefined;
    const base = { name, config: info.config as Config, created: String(info.created) };
    if (kind !== 'consumer') return { ...base, kind, figures: info.state as never };
    const count = (field: string): number => Number(info[field] ?? 0);
    return {
      ...base,
      kind,
      figures: {
        num_pending: count('num_pending'),
        num_ack_pending: count('num_ack_pending'),
        num_redelivered: count('num_redelivered'),
        num_waiting: count('num_waiting'),
        delivered_stream_seq: 0,
        ack_floor_stream_seq: 0,
        paused: info.paused === true,
      },
    };
  }

  get target(): Target {
    const { server_name: name, server_id: id, version, cluster, max_payload } = this.nc.info!;
    const server = { name, id, version, jetstream: true, max_payload, ...(cluster ? { cluster } : {}) };
    return { server, url: 'test', account: '$G', chosenBy: 'test' };
  }

  /** Carries the steps out, one after another; returns the server's last answer. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const [kind, name] = step.resource.split(' ') as [ObservedResource['kind'], string];
      const configs: readonly (Config | undefined)[] = step.verb === 'delete' ? [undefined] : step.configs;
      for (const config of configs) await this.write(kind, name, step.verb, config);
    }
  }

  async write(kind: ObservedResource['kind'], name: string, verb: Step['verb'], config?: Config): Promise<Config> {
    if (kind === 'consumer') {
      const { stream, consumer } = splitConsumerName(name);
      if (verb === 'delete') return this.api(`CONSUMER.DELETE.${stream}.${consumer}`);
      return this.api(`CONSUMER.CREATE.${stream}.${consumer}`, { stream_name: stream, config, action: verb });
    }
    const stream = kind === 'bucket' ? bucketStream(name) : name;
    return this.api(`STREAM.${verb.toUpperCase()}.${stream}`, config);
  }

  /** What an update in place would send, whatever the plan thinks of it. */
  inPlace(resource: DesiredResource, observed: Observed, stream?: Config): Config {
    const live = observed.resources.get(keyOf(resource))!.config;
    const { kind, name, config } = resource;
    if (kind === 'stream') return streamWire(name, config, tableFor(this.version), live);
    if (kind === 'bucket') return bucketWire(name, config, tableFor(this.version), live);
    return consumerWire(name, config, tableFor(this.version), { live: stream, wanted: stream }, live);
  }

  async publish(subject: string, count: number, size = 10): Promise<void> {
    const payload = 'x'.repeat(size);
    for (let at = 0; at < count; at++) await this.nc.request(subject, payload, { timeout: 5_000 });
  }
}

/** A spec's resource with the owner mark; `null` takes a field out. */
export function resourceOf(
  kind: ObservedResource['kind'],
  name: string,
  ...parts: Record<string, Json>[]
): DesiredResource {
  const config = Object.assign({}, ...parts) as Record<string, Json>;
  for (const [field, value] of Object.entries(config)) if (value === null) delete config[field];
  const metadata = { ...((config.metadata as Config | undefined) ?? {}), ...MARK };
  const role = kind === 'consumer' ? 'worker' : kind === 'stream' ? 'queue' : 'other';
  return { kind, name, role, config: { ...config, metadata } };
}

export const desiredOf = (...resources: DesiredResource[]): Desired => ({ system: SYSTEM, resources });
