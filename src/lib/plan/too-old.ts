import { canonicalValue, fillOf } from '../canonical/value.ts';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import type { Field } from '../facts/field.ts';
import { FIELDS, isGone } from '../facts/fields.ts';
import { newerIn } from '../facts/newer.ts';
import { atLeast, OLDEST_SERVER } from '../facts/versions.ts';
import { equalJson } from '../model/json.ts';
import type { Desired, DesiredResource, ServerIdentity } from '../model/resource.ts';

interface Missing {
  readonly resource: DesiredResource;
  readonly field: string;
  readonly path: string;
  readonly needs: string;
}

/** What a resource asks for that a server of this version does not have. A field written with its default asks for nothing. */
function missingIn(resource: DesiredResource, version: string): Missing[] {
  const { config } = resource;
  const asks = (field: Field): boolean => {
    const value = canonicalValue(field.type, config[field.name]);
    return value !== undefined && !equalJson(value, fillOf(field, { version, config: {} }));
  };
  return FIELDS[resource.kind].flatMap((field): Missing[] => {
    if (config[field.name] === undefined || !asks(field)) return [];
    const newer = newerIn([field], config, version).map(({ path, value, since }) => ({
      path: `${path.join('.')}${value === undefined ? '' : `: ${value}`}`,
      needs: since,
    }));
    const gone = isGone(field, version) ? [{ path: field.name, needs: `at most ${field.until}` }] : [];
    return [...newer, ...gone].map((each) => ({ resource, field: field.name, ...each }));
  });
}

/** Refuses, before anything is touched, a spec that needs a newer server, naming everything. Throws SERVER_TOO_OLD. */
export function requireNewEnough(desired: Desired, server: ServerIdentity): void {
  const { version } = server;
  if (!atLeast(version, OLDEST_SERVER)) {
    throw new OpsError('SERVER_TOO_OLD', `server ${server.name} is nats-server ${version}`, {
      where: server.name,
      why: `This tool rests on resource metadata and a consumer API that came with ${OLDEST_SERVER}.`,
      hints: [`update nats-server to ${OLDEST_SERVER} or newer`],
    });
  }
  const missing = desired.resources.flatMap((resource) => missingIn(resource, version));
  if (missing.length === 0) return;
  const problems = missing.map(
    ({ resource, field, path, needs }): Problem => ({
      code: 'SERVER_TOO_OLD',
      path,
      message: `${resource.kind} ${resource.name}: ${path} needs nats-server ${needs}${needs.startsWith('at most') ? '' : ' or newer'}, this one is ${version}`,
      ...resource.positionOf?.(field),
    }),
  );
  const count = missing.length === 1 ? 'a field' : `${missing.length} fields`;
  throw new OpsError('SERVER_TOO_OLD', `nats-server ${version} does not have ${count} of this spec`, {
    where: server.name,
    why: 'An older server drops such a field in silence, or refuses the whole request (10025).',
    hints: ['update the server', 'or leave the fields out of the spec'],
    problems,
  });
}
