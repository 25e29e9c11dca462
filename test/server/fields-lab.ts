import type { NatsConnection } from '@nats-io/transport-node';
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
  splitKey,
  type Target,
} from '../../src/lib/model/resource.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { readObserved } from '../../src/lib/observed/read.ts';
import { bucketWire, consumerWire, streamWire } from '../../src/lib/plan/wire.ts';
import { connectTo } from '../support/connected.ts';

/** A refusal of the JetStream API. */
export { ApiError as Refused } from '../../src/lib/nats/api-error.ts';

export const SYSTEM = 'lab';
const MARK = { [OWNER_KEY]: SYSTEM };

/** A connection with just enough to carry out a plan's steps and look at what became of them. */
export class Lab {
  readonly nats: Nats;
  constructor(nats: Nats) {
    this.nats = nats;
  }

  static async open(url: string): Promise<Lab> {
    return new Lab(await connectTo({ url }, { timeout: '10s' }));
  }

  get nc(): NatsConnection {
    return this.nats.nc;
  }

  get target(): Target {
    return this.nats.target;
  }

  get version(): string {
    return this.target.server.version;
  }

  api(subject: string, body?: object): Promise<Config> {
    return this.nats.api(subject, body);
  }

  read(keys: Iterable<ResourceKey>): Promise<Observed> {
    return readObserved(this.nats, keys);
  }

  /** Carries the steps out, one after another; returns the server's last answer. */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const { kind, name } = splitKey(step.resource);
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
