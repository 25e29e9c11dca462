import { CAPTURES } from '../facts/names.ts';
import type { Config, Json } from '../model/json.ts';
import type {
  Capture,
  ConnectionSpec,
  DlqSpec,
  HealthSpec,
  QueueSpec,
  ResponsesSpec,
  Spec,
  StreamSpec,
  Threshold,
} from '../model/spec.ts';
import type { Written } from './check.ts';

/** What a queue's stream is where the spec does not say: a work queue that replay can read. */
export const QUEUE_DEFAULTS: Config = { retention: 'workqueue', allow_direct: true };
export const CONSUMER_DEFAULTS: Config = { ack_policy: 'explicit' };
/** Messages, messages, nanoseconds, percent. */
export const HEALTH_DEFAULTS: HealthSpec = {
  dead: { warn: 1, critical: 100 },
  backlog: { warn: 1000, critical: 10_000 },
  oldest: { warn: 300e9, critical: 3600e9 },
  usage: { warn: 70, critical: 90 },
};

type Part = Readonly<Record<string, Json | undefined>>;

/** Checked values → the spec the program works with: names resolved, defaults of a queue filled in. */
export function assembleSpec(written: Written): Spec {
  const part = written as Part;
  return {
    version: 1,
    name: String(part.name),
    ...(part.description === undefined ? {} : { description: String(part.description) }),
    ...(part.min_server_version === undefined ? {} : { min_server_version: String(part.min_server_version) }),
    connection: (part.connection ?? {}) as ConnectionSpec,
    queues: mapOf(part.queues, queueOf),
    streams: mapOf(part.streams, (stream) => streamOf(stream, {})),
    buckets: mapOf(part.buckets, (bucket) => bucket as Config),
  };
}

const mapOf = <T>(parts: Json | undefined, make: (part: Part) => T): Record<string, T> =>
  Object.fromEntries(Object.entries((parts ?? {}) as Record<string, Part>).map(([name, part]) => [name, make(part)]));

function streamOf(part: Part, defaults: Config): StreamSpec {
  const { consumers, ...config } = part;
  return {
    config: { ...defaults, ...config } as Config,
    consumers: mapOf(consumers, (consumer) => ({ ...CONSUMER_DEFAULTS, ...consumer }) as Config),
  };
}

function queueOf(part: Part): QueueSpec {
  const { dlq, responses, health, ...stream } = part;
  return {
    ...streamOf(stream, QUEUE_DEFAULTS),
    ...(dlq === undefined ? {} : { dlq: dlqOf(dlq as Part) }),
    ...(responses === undefined ? {} : { responses: responsesOf(responses as Part) }),
    health: healthOf((health ?? {}) as Part),
  };
}

function dlqOf({ stream, capture, ...config }: Part): DlqSpec {
  const chosen = (capture ?? CAPTURES) as readonly Capture[];
  return {
    stream: String(stream),
    capture: CAPTURES.filter((each) => chosen.includes(each)),
    config: config as Config,
  };
}

const responsesOf = ({ bucket, ...config }: Part): ResponsesSpec => ({
  bucket: String(bucket),
  config: config as Config,
});

function healthOf(part: Part): HealthSpec {
  const threshold = (name: keyof HealthSpec): Threshold => {
    const given = (part[name] ?? {}) as Part;
    const limit = (level: keyof Threshold) => {
      const value = given[level];
      if (value === undefined) return HEALTH_DEFAULTS[name][level];
      return value === 'off' ? null : Number(value);
    };
    return { warn: limit('warn'), critical: limit('critical') };
  };
  return {
    dead: threshold('dead'),
    backlog: threshold('backlog'),
    oldest: threshold('oldest'),
    usage: threshold('usage'),
  };
}
