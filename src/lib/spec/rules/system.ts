import type { Field } from '../../facts/field.ts';
import { FIELDS } from '../../facts/fields.ts';
import { newerIn } from '../../facts/newer.ts';
import { atLeast, OLDEST_SERVER } from '../../facts/versions.ts';
import type { Config } from '../../model/json.ts';
import type { HealthSpec } from '../../model/spec.ts';
import type { Path } from '../tree.ts';
import type { Found, Rule } from './rule.ts';
import type { View } from './view.ts';

const newer: Rule = {
  id: 'SPEC_FIELD_NEWER',
  severity: 'error',
  why: 'Servers before 2.12 take a field they do not know, answer OK and store nothing; later ones refuse it (err_code 10025).',
  *check(view) {
    const oldest = view.spec.min_server_version;
    if (oldest === undefined) return;
    if (!atLeast(oldest, OLDEST_SERVER)) {
      yield {
        path: ['min_server_version'],
        message: `min_server_version ${oldest} is older than ${OLDEST_SERVER}`,
        why: 'This tool rests on the metadata and the consumer requests of 2.10.',
        hint: 'write "2.10" or newer.',
      };
    }
    for (const { config, path } of view.streams) yield* told(config, FIELDS.stream, path, oldest);
    for (const { config, path } of view.consumers) yield* told(config, FIELDS.consumer, path, oldest);
    for (const { config, path } of view.buckets) yield* told(config, FIELDS.bucket, path, oldest);
  },
};

const told = (config: Config, fields: readonly Field[], path: Path, oldest: string): Found[] =>
  newerIn(fields, config, oldest).map((newer) => {
    const since = newer.since.replace(/\.0$/, '');
    const name = `${newer.path.at(-1)}${newer.value === undefined ? '' : `: ${newer.value}`}`;
    return {
      path: [...path, ...newer.path],
      message: `${name} needs server ${since}, but min_server_version is ${oldest}`,
      hint: `raise min_server_version to "${since}", or leave ${name} out.`,
    };
  });

const thresholds: Rule = {
  id: 'SPEC_HEALTH_ORDER',
  severity: 'warning',
  why: 'status goes from ok over warning to critical; a warning above critical is never seen.',
  reads: ['warn', 'critical'],
  *check(view) {
    for (const { role, path, queue } of view.streams) {
      if (role !== 'queue' || !queue) continue;
      for (const name of Object.keys(queue.spec.health) as (keyof HealthSpec)[]) {
        const { warn, critical } = queue.spec.health[name];
        if ((warn ?? 0) <= (critical ?? Number.POSITIVE_INFINITY)) continue;
        yield {
          path: [...path, 'health', name],
          message: `health.${name} of ${queue.name}: warn is above critical`,
          hint: 'exchange the two; where only one is written, the other has its default.',
        };
      }
    }
  },
};

const SECRETS = ['password', 'token'] as const;

const secrets: Rule = {
  id: 'SPEC_SECRET',
  severity: 'warning',
  why: 'A spec is committed, reviewed and kept on the server; a secret in it is known to all who can read those.',
  *check(view: View) {
    for (const name of SECRETS) {
      const node = view.node(['connection', name]);
      if (node?.kind !== 'scalar' || node.written !== undefined || node.value === '' || node.value === null) continue;
      yield {
        path: ['connection', name],
        message: `connection.${name} is written in the spec`,
        hint: `write \${NATS_${name.toUpperCase()}}, a context or creds instead, and change the secret: it has been seen.`,
      };
    }
    const node = view.node(['connection', 'servers']);
    const items = node?.kind === 'list' ? node.items : [node];
    const isFilled = items.some((item) => item?.kind === 'scalar' && item.written !== undefined);
    if (isFilled || !view.spec.connection.servers?.some((url) => /^[a-z]+:\/\/[^/]*@/i.test(url))) return;
    yield {
      path: ['connection', 'servers'],
      message: 'a URL in connection.servers holds a user or password',
      hint: 'write user and password of their own, from the environment.',
    };
  },
};

const nothing: Rule = {
  id: 'SPEC_NOTHING_DECLARED',
  severity: 'warning',
  why: 'Applied, it changes nothing; with --prune it would delete everything this system owns.',
  reads: ['queues', 'streams', 'buckets'],
  *check(view) {
    if (view.streams.length > 0 || view.buckets.length > 0) return;
    yield {
      path: [],
      message: 'the spec declares no queue, stream or bucket',
      hint: 'add a queue; `osapi-ops init` writes one to begin with.',
    };
  },
};

export const systemRules: readonly Rule[] = [newer, thresholds, secrets, nothing];
