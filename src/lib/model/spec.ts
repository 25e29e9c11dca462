import type { Config } from './json.ts';
import type { Position } from './resource.ts';
import type { Nanos } from './units.ts';

/** The kinds of death a DLQ stream captures the advisories of. */
export type Capture = 'max_deliveries' | 'terminated';

/** The one key beside the server's fields in a configuration of a spec: the name that the resource had before. */
export const MOVED_FROM = 'moved_from';

/** Where to connect and as whom, as a spec may say it. Flags and environment win. Paths are relative to the spec's file. */
export interface ConnectionSpec {
  readonly context?: string;
  readonly servers?: readonly string[];
  readonly creds?: string;
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tls_cert?: string;
  readonly tls_key?: string;
  readonly tls_ca?: string;
  readonly tls_first?: boolean;
  readonly domain?: string;
  readonly inbox_prefix?: string;
  readonly timeout?: Nanos;
}

/** A warning and a critical limit; `null` where a limit is switched off. */
export interface Threshold {
  readonly warn: number | null;
  readonly critical: number | null;
}

/** Thresholds of status. `oldest` is in nanoseconds, `usage` in percent, the others count messages. */
export interface HealthSpec {
  readonly dead: Threshold;
  readonly backlog: Threshold;
  readonly oldest: Threshold;
  readonly usage: Threshold;
}

export interface DlqSpec {
  readonly stream: string;
  readonly capture: readonly Capture[];
  /** The stream's own fields as written, wire names and units. */
  readonly config: Config;
}

export interface ResponsesSpec {
  readonly bucket: string;
  readonly config: Config;
}

/** A stream with its consumers. Configurations hold what was written (and the defaults of a queue), in wire names and units. */
export interface StreamSpec {
  readonly config: Config;
  readonly consumers: Readonly<Record<string, Config>>;
}

export interface QueueSpec extends StreamSpec {
  readonly dlq?: DlqSpec;
  readonly responses?: ResponsesSpec;
  readonly health: HealthSpec;
}

/** A spec after extends, interpolation, aliases, units and defaults: what the program works with. */
export interface Spec {
  readonly version: 1;
  /** The owner mark. */
  readonly name: string;
  readonly description?: string;
  /** The oldest server this spec promises to run on, as `2.12`. */
  readonly min_server_version?: string;
  readonly connection: ConnectionSpec;
  readonly queues: Readonly<Record<string, QueueSpec>>;
  readonly streams: Readonly<Record<string, StreamSpec>>;
  readonly buckets: Readonly<Record<string, Config>>;
}

/** A spec with what is needed to speak of it. */
export interface LoadedSpec {
  readonly spec: Spec;
  /** As given: a path, or `-`. */
  readonly source: string;
  /** Every file read, in order, the extended ones first. */
  readonly files: readonly string[];
  /** The nearest place for a path such as `['queues', 'REQUESTS', 'max_age']`. */
  readonly positionOf: (path: readonly (string | number)[]) => Position | undefined;
}
