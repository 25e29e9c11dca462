import { toType } from '../model/shell.ts';
import { assembleSpec } from './assemble.ts';
import { check } from './check.ts';
import type { SpecProblem } from './problem.ts';
import { runRules } from './rules/judge.ts';
import { specShape } from './shape.ts';
import { type Entry, type MapNode, type Node, nodeAt, type Path, positionOfPlace } from './tree.ts';
import { translate } from './words.ts';

/** Keys by which a bare configuration of the nats CLI is known. */
const CONSUMER_KEYS = [
  'durable_name',
  'deliver_policy',
  'ack_policy',
  'max_deliver',
  'filter_subject',
  'filter_subjects',
];
const STREAM_KEYS = ['retention', 'subjects', 'storage', 'discard', 'max_msgs'];
const SPEC_KEYS = ['version', 'queues', 'streams', 'buckets', 'extends'];
/** In these files other keys name the thing; the spec's own rules about metadata are no fault of theirs. */
const NAMES = ['name', 'durable_name'];
const NOT_THEIRS = new Set(['SPEC_METADATA_RESERVED', 'SPEC_UNKNOWN_KEY']);

/** Stands for the stream that a consumer's file does not name. */
const UNKNOWN = 'QUEUE';

type Kind = 'stream' | 'consumer' | 'manifest';

/** What kind of foreign file this is; undefined for a spec, and for what is neither. */
function kindOf(root: MapNode): Kind | undefined {
  if (SPEC_KEYS.some((key) => root.entries.has(key))) return undefined;
  const has = (keys: readonly string[], of: Node | undefined = root) =>
    of?.kind === 'map' && keys.some((key) => of.entries.has(key));
  if (root.entries.has('apiVersion') && root.entries.has('kind')) return 'manifest';
  const inner = nodeAt(root, ['config']) ?? root;
  if (has(CONSUMER_KEYS, inner)) return 'consumer';
  return has(STREAM_KEYS, inner) ? 'stream' : undefined;
}

const WHAT: Readonly<Record<Kind, string>> = {
  stream: 'a stream configuration of the nats CLI',
  consumer: 'a consumer configuration of the nats CLI',
  manifest: 'a manifest of the NACK controller',
};

/**
 * Judges a file that is no spec but a configuration of the nats CLI: what the server would refuse in it, then the way
 * to a spec. Undefined where it is nothing of the kind. A consumer is judged as one of a workqueue: that is what this
 * tool is for, and the problems say so.
 */
export function judgeForeign(root: Node): readonly SpecProblem[] | undefined {
  if (root.kind !== 'map') return undefined;
  const kind = kindOf(root);
  if (!kind) return undefined;
  const { file } = root.place;
  const foreign: SpecProblem = {
    code: 'SPEC_FOREIGN',
    severity: 'error',
    ...positionOfPlace(root.place),
    message: `${file.name} is ${WHAT[kind]}, not a spec`,
    why: 'A spec says what a whole system is: its queues with their consumers, DLQ and responses.',
    hint: `\`${file.name === '<stdin>' ? 'osapi-ops convert -' : toType`osapi-ops convert ${file.name}`}\` makes a spec of it.`,
  };
  return kind === 'manifest' ? [foreign] : [foreign, ...faultsOf(root, kind)];
}

function faultsOf(root: MapNode, kind: 'stream' | 'consumer'): readonly SpecProblem[] {
  const at: Path = root.entries.get('config')?.value.kind === 'map' ? ['config'] : [];
  const config = nodeAt(root, at) as MapNode;
  const name = scalarOf(config, 'durable_name') ?? scalarOf(config, 'name') ?? 'consumer';
  const bare: MapNode = { ...config, entries: new Map([...config.entries].filter(([key]) => !NAMES.includes(key))) };
  const map = (entries: Record<string, Node>): MapNode => ({
    kind: 'map',
    place: root.place,
    entries: new Map(
      Object.entries(entries).map(([key, value]): [string, Entry] => [key, { keyPlace: root.place, value }]),
    ),
  });
  const scalar = (value: string | number): Node => ({ kind: 'scalar', value, plain: true, place: root.place });
  const stream = scalarOf(root, 'stream_name') ?? (kind === 'stream' ? name : UNKNOWN);
  const queue = kind === 'stream' ? bare : map({ subjects: scalar('>'), consumers: map({ [name]: bare }) });
  const prefix: Path = kind === 'stream' ? ['queues', stream] : ['queues', stream, 'consumers', name];
  // A stream of the nats CLI without retention has limits, a queue of a spec workqueue.
  const plain = kind === 'stream' && scalarOf(config, 'retention')?.startsWith('work') !== true;
  const section = plain ? 'streams' : 'queues';
  const whole = map({ version: scalar(1), name: scalar('unnamed'), [section]: map({ [stream]: queue }) });
  const words = translate(whole, specShape).root;
  const checked = check(words);
  const found = [...checked.problems, ...runRules(assembleSpec(checked.written), words, checked.faulty)];
  const inside = [plain ? 'streams' : prefix[0], ...prefix.slice(1)].join('.');
  return found
    .filter(
      ({ path, severity, code }) => path?.startsWith(`${inside}.`) && severity === 'error' && !NOT_THEIRS.has(code),
    )
    .map(({ mend: _, ...problem }) => ({
      ...problem,
      message: problem.message.replace(`${UNKNOWN}/`, ''),
      path: [...at, problem.path!.slice(inside.length + 1)].join('.'),
    }));
}

function scalarOf(node: MapNode, key: string): string | undefined {
  const value = node.entries.get(key)?.value;
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined;
}
