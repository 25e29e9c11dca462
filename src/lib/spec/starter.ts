import { stringify } from 'yaml';
import { type Nanos, printDuration } from '../model/units.ts';

/** What a first spec needs to know. An empty `dlq` or `responses` leaves that part out. */
export interface Answers {
  readonly name: string;
  readonly queue: string;
  readonly subjects: readonly string[];
  readonly consumer: string;
  readonly maxDeliver: number;
  readonly backoff: readonly Nanos[];
  readonly maxMsgs: number;
  readonly replicas: number;
  readonly dlq: string;
  readonly responses: string;
  readonly ttl: Nanos;
}

/** A text of a person as YAML takes it: in quotes where it could be read as something else. Dollars stay dollars. */
const scalar = (text: string): string => stringify(text.replace(/\$(?=[${])/g, '$$$$')).trim();

/** The same in quotes in any case, as subjects are written. */
const quoted = (text: string): string => JSON.stringify(text.replace(/\$(?=[${])/g, '$$$$'));

/** The most a fast worker may have in hand, and every request that waits for its next try counts: room for many. */
const MAX_ACK_PENDING = 10_000;

/** A spec for a person to go on with: every line says in a few words why it is there. */
export function starterText(answers: Answers, schema: string): string {
  const { name, queue, subjects, consumer, maxDeliver, backoff, maxMsgs, replicas } = answers;
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    '# One system: its queues, where dead requests go, where responses are kept.',
    '# `osapi-ops validate` checks it, `plan` shows what it would change, `apply` does it.',
    'version: 1',
    '# The owner mark on everything this spec manages; nothing without it is ever touched.',
    `name: ${scalar(name)}`,
    '',
    'queues:',
    '  # The stream that keeps requests until a worker is done with them.',
    `  ${scalar(queue)}:`,
    '    # What publishers send to; * is one word, > the rest.',
    `    subjects: [${subjects.map(quoted).join(', ')}]`,
    '    # On disk: a restart loses nothing.',
    '    storage: file',
    '    # Each request goes to one worker and is deleted when it is acknowledged.',
    '    retention: workqueue',
    '    # A full queue refuses new requests, so that publishers notice; none is dropped unprocessed.',
    '    discard: new',
    '    # What "full" means. max_bytes (as 1GiB) limits the size as well.',
    `    max_msgs: ${maxMsgs}`,
    '    # A publish repeated within this time under one Nats-Msg-Id is stored once.',
    '    duplicate_window: 2m',
    '    # Copies in a cluster: 1, 3 or 5. A single server takes 1.',
    `    num_replicas: ${replicas}`,
    '',
    '    consumers:',
    '      # What workers pull from; all workers of one kind share it.',
    `      ${scalar(consumer)}:`,
    '        # A request is done when a worker says so, and is delivered again when it does not.',
    '        ack_policy: explicit',
    '        # Tried so often, then it is dead.',
    `        max_deliver: ${maxDeliver}`,
    ...backoffLines(backoff),
    '        # How many may be in hand. Requests that wait for their next try count too.',
    `        max_ack_pending: ${MAX_ACK_PENDING}`,
    ...dlqLines(answers),
    ...responsesLines(answers),
    '',
    '    # When `status` warns, and when it is critical: dead requests, waiting ones, the age of the oldest, how full.',
    '    health:',
    '      dead: {warn: 1, critical: 100}',
    '      backlog: {warn: 1000, critical: 10000}',
    '      oldest: {warn: 5m, critical: 1h}',
    '      usage: {warn: 70%, critical: 90%}',
  ];
  return `${lines.join('\n')}\n`;
}

function backoffLines(backoff: readonly Nanos[]): string[] {
  if (backoff.length === 0) {
    return ['        # How long a worker may take for one try.', '        ack_wait: 30s'];
  }
  return [
    '        # How long each try may take before the next; the last one repeats.',
    `        backoff: [${backoff.map(printDuration).join(', ')}]`,
  ];
}

function dlqLines({ dlq }: Answers): string[] {
  if (!dlq) return [];
  return [
    '',
    '    # Dead requests: the server notes each here, and `osapi-ops dlq` shows and replays them.',
    '    dlq:',
    `      stream: ${scalar(dlq)}`,
    '      # Out of tries, or given up by a worker (TERM).',
    '      capture: [max_deliveries, terminated]',
    '      # How long the notes are kept.',
    '      max_age: 30d',
  ];
}

function responsesLines({ responses, ttl }: Answers): string[] {
  if (!responses) return [];
  return [
    '',
    '    # Responses, each under the id of its request.',
    '    responses:',
    `      bucket: ${scalar(responses)}`,
    '      # Only the latest value of each.',
    '      history: 1',
    '      # How long a client has to fetch it; longer than a request can take with all its tries.',
    `      ttl: ${printDuration(ttl)}`,
  ];
}
