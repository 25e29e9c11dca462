import { KV_PREFIX, LEDGER_BUCKET, OWN_PREFIX, SERVER_PREFIX } from '../../facts/names.ts';
import { type Config, equalJson, isObject } from '../../model/json.ts';
import { MOVED_FROM } from '../../model/spec.ts';
import type { Path } from '../tree.ts';
import type { Found, Rule } from './rule.ts';
import { type BucketView, type StreamView, streamOfBucket, type View } from './view.ts';

/** The server's limit for names of streams and consumers, in bytes. */
const LONGEST = 255;
const BUCKET_NAME = /^[A-Za-z0-9_-]+$/;

function faultOfName(name: string, longest: number, allowed?: RegExp): string | undefined {
  if (name === '') return 'is empty';
  if (new TextEncoder().encode(name).length > longest) return `has more than ${longest} characters`;
  if (allowed) return allowed.test(name) ? undefined : 'has other characters than letters, digits, - and _';
  const wrong = /[\s.*>/\\\p{Cc}]/u.exec(name)?.[0];
  if (wrong === undefined) return undefined;
  return /\s/.test(wrong) ? 'has a blank' : /\p{Cc}/u.test(wrong) ? 'has a control character' : `has a \`${wrong}\``;
}

const refused: Rule = {
  id: 'SPEC_NAME_REFUSED',
  severity: 'error',
  why: 'A name becomes one token of a subject, so the server (or every KV client) refuses such names (err_code 10052, 10128, 10127).',
  *check(view) {
    const told = (kind: string, name: string, fault: string | undefined, path: Path): Found[] =>
      fault === undefined
        ? []
        : [
            {
              path,
              message: `the ${kind} name ${JSON.stringify(name)} ${fault}`,
              hint: 'use letters, digits, dashes and underscores.',
            },
          ];
    for (const { role, name, path } of view.streams) {
      yield* told('stream', name, faultOfName(name, LONGEST), role === 'dlq' ? [...path, 'stream'] : path);
    }
    for (const { name, path } of view.consumers) yield* told('consumer', name, faultOfName(name, LONGEST), path);
    for (const { role, name, path } of view.buckets) {
      const place = role === 'responses' ? [...path, 'bucket'] : path;
      yield* told('bucket', name, faultOfName(name, LONGEST - KV_PREFIX.length, BUCKET_NAME), place);
      if (name !== LEDGER_BUCKET) continue;
      yield {
        path: place,
        message: `the bucket ${LEDGER_BUCKET} is taken`,
        why: 'It is where apply keeps what was applied, the lock and the history.',
        hint: 'choose another name.',
      };
    }
  },
};

interface Claim {
  readonly path: Path;
  readonly what: string;
  readonly role: string;
  readonly config: Config;
}

/** Queues that share a DLQ differ in the subjects that they add to it. */
const streamClaim = ({ role, config, path, queue }: StreamView): Claim => ({
  path: role === 'dlq' ? [...path, 'stream'] : path,
  what: role === 'dlq' ? `the DLQ of ${queue!.name}` : role === 'queue' ? 'a queue' : 'a stream',
  role,
  config: { ...config, subjects: null },
});

const bucketClaim = ({ role, config, path, queue }: BucketView): Claim => ({
  path: role === 'responses' ? [...path, 'bucket'] : path,
  what: role === 'responses' ? `the responses of ${queue!.name}` : 'a bucket',
  role,
  config,
});

const twice: Rule = {
  id: 'SPEC_NAME_TWICE',
  severity: 'error',
  why: 'Two declarations of one resource would overwrite each other at every apply. Queues may share a DLQ or a bucket where all their fields agree.',
  reads: ['dlq', 'responses'],
  compares: true,
  *check(view) {
    const claims = new Map<string, Claim>();
    const all: [string, Claim][] = [
      ...view.streams.map((stream): [string, Claim] => [stream.name, streamClaim(stream)]),
      ...view.buckets.map((bucket): [string, Claim] => [streamOfBucket(bucket), bucketClaim(bucket)]),
    ];
    for (const [name, claim] of all) {
      const first = claims.get(name);
      if (!first) claims.set(name, claim);
      else if (first.role !== claim.role || !equalJson(first.config, claim.config)) {
        const agree = first.role === claim.role;
        yield {
          path: claim.path,
          message: `${name} is ${claim.what} here and ${first.what} at ${first.path.join('.')}${agree ? ', with other fields' : ''}`,
          hint: agree ? 'give both the same fields, or each a name of its own.' : 'give one of them another name.',
        };
      }
    }
  },
};

const metadata: Rule = {
  id: 'SPEC_METADATA_RESERVED',
  severity: 'error',
  why: 'The server overwrites what begins with `_nats.`; what begins with `osapi-ops.` marks the owner.',
  *check(view: View) {
    for (const { config, path } of [...view.streams, ...view.consumers, ...view.buckets]) {
      if (!isObject(config.metadata)) continue;
      for (const key of Object.keys(config.metadata)) {
        if (!key.startsWith(OWN_PREFIX) && !key.startsWith(SERVER_PREFIX)) continue;
        yield {
          path: [...path, 'metadata', key],
          message: `the metadata key ${key} is reserved`,
          hint: 'leave it out.',
          mend: 'remove',
        };
      }
    }
  },
};

/** A resource with its name before. `known` are the present names of its kind. */
interface Moved {
  readonly path: Path;
  readonly what: string;
  readonly name: string;
  readonly before: string;
  readonly fault: string | undefined;
  readonly known: ReadonlySet<string>;
  /** What the name before is unique in. */
  readonly among: string;
}

function movedIn({ streams, buckets, consumers }: View): Moved[] {
  const all = new Set([...streams.map(({ name }) => name), ...buckets.map(streamOfBucket)]);
  const beforeOf = ({ config }: { readonly config: Config }) => config[MOVED_FROM];
  const moved = (
    what: string,
    each: { readonly config: Config; readonly path: Path; readonly name: string },
    rest: Pick<Moved, 'fault' | 'known' | 'among'>,
  ): Moved[] => {
    const before = beforeOf(each);
    return typeof before === 'string'
      ? [{ path: [...each.path, MOVED_FROM], what, name: each.name, before, ...rest }]
      : [];
  };
  return [
    ...streams.flatMap((each) =>
      moved('stream', each, {
        fault: faultOfName(String(beforeOf(each)), LONGEST),
        known: all,
        among: 'stream',
      }),
    ),
    ...consumers.flatMap((each) =>
      moved('consumer', each, {
        fault: faultOfName(String(beforeOf(each)), LONGEST),
        known: new Set(each.stream.consumers.map(({ name }) => name)),
        among: each.stream.path.join('.'),
      }),
    ),
    ...buckets.flatMap((each) =>
      moved('bucket', each, {
        fault: faultOfName(String(beforeOf(each)), LONGEST - KV_PREFIX.length, BUCKET_NAME),
        known: new Set([...all].flatMap((name) => (name.startsWith(KV_PREFIX) ? [name.slice(KV_PREFIX.length)] : []))),
        among: 'bucket',
      }),
    ),
  ];
}

const movedFrom: Rule = {
  id: 'SPEC_MOVED_FROM',
  severity: 'error',
  why: 'A move goes from one name to one other in one hop; what is declared under the name before would be moved away.',
  reads: [MOVED_FROM, 'stream', 'bucket'],
  compares: true,
  *check(view) {
    const taken = new Map<string, string>();
    for (const { path, what, name, before, fault, known, among } of movedIn(view)) {
      const first = taken.get(`${among} ${before}`);
      // Queues that share a DLQ or a bucket tell it each.
      if (first !== undefined && first !== name) {
        yield {
          path,
          message: `${what}s ${first} and ${name} both say moved_from ${before}`,
          hint: 'one of them took over what was there: keep it at that one.',
        };
      }
      taken.set(`${among} ${before}`, name);
      if (before === name) {
        yield { path, message: `${what} ${name} says moved_from itself`, hint: 'leave it out.', mend: 'remove' };
      } else if (fault !== undefined) {
        yield {
          path,
          message: `the ${what} name ${JSON.stringify(before)} ${fault}`,
          hint: 'write the name as it is on the server.',
        };
      } else if (before === LEDGER_BUCKET && what === 'bucket') {
        yield {
          path,
          message: `the bucket ${LEDGER_BUCKET} is not moved`,
          hint: 'it is where apply keeps what was applied, the lock and the history; leave moved_from out.',
        };
      } else if (known.has(before)) {
        yield {
          path,
          message: `${what} ${name} says moved_from ${before}, which this spec declares too`,
          hint: `leave moved_from out, or take ${before} out of the spec.`,
        };
      }
    }
  },
};

export const nameRules: readonly Rule[] = [refused, twice, metadata, movedFrom];
