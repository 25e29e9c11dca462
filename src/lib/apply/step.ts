import { bucketStream } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import type { Step } from '../model/plan.ts';
import { splitConsumerName } from '../model/resource.ts';

/** One request of the JetStream API, without its prefix. */
export interface ApiRequest {
  readonly subject: string;
  readonly body?: object;
}

/** What a step's resource is called, without its kind. */
export const nameOfStep = ({ resource }: Pick<Step, 'resource'>): string => resource.slice(resource.indexOf(' ') + 1);

/** The stream a step writes: its own, or a bucket's; `undefined` for a consumer. */
export function streamOfStep(step: Pick<Step, 'resource'>): string | undefined {
  if (step.resource.startsWith('consumer ')) return undefined;
  const name = nameOfStep(step);
  return step.resource.startsWith('bucket ') ? bucketStream(name) : name;
}

/** The request that carries out a step, or one of its configurations. */
export function requestOf(step: Pick<Step, 'resource' | 'verb'>, config: Config = {}): ApiRequest {
  const stream = streamOfStep(step);
  if (stream !== undefined) {
    const subject = `STREAM.${step.verb.toUpperCase()}.${stream}`;
    return step.verb === 'delete' ? { subject } : { subject, body: config };
  }
  const { stream: of, consumer } = splitConsumerName(nameOfStep(step));
  if (step.verb === 'delete') return { subject: `CONSUMER.DELETE.${of}.${consumer}` };
  // The action keeps a create from changing a consumer that somebody made meanwhile, and an update from making one.
  return {
    subject: `CONSUMER.CREATE.${of}.${consumer}`,
    body: { stream_name: of, config, action: step.verb },
  };
}
