import type { RoleName } from '../model/permissions.ts';
import type { Spec } from '../model/spec.ts';
import type { Action, May } from '../model/wire.ts';
import { lackingOf } from './lacking.ts';
import { permissionsFor } from './roles.ts';

/** What somebody does with a queue, and the part of a role's subjects that it cannot do without. */
const ACTIONS = {
  look: { role: 'viewer', needs: /./ },
  export: { role: 'viewer', needs: /./ },
  replay: { role: 'operator', needs: /\.DELETE\.|^publish (?!\$)/ },
  purge: { role: 'operator', needs: /\.DELETE\./ },
  import: { role: 'operator', needs: /^publish \$JS\.EVENT\./ },
  pause: { role: 'operator', needs: /\.CONSUMER\.PAUSE\./ },
  stop: { role: 'operator', needs: /^publish \$KV\./ },
  cancel: { role: 'operator', needs: /\.DELETE\./ },
  send: { role: 'client', needs: /^publish (?!\$)/ },
  apply: { role: 'applier', needs: /\.(?:CREATE|UPDATE)\.|^publish \$KV\./ },
  move: { role: 'migrator', needs: /\.(?:CREATE|UPDATE|DELETE|PURGE|PAUSE)\.|^publish (?:\$KV|osapi-ops\.moving)\./ },
} as const satisfies Readonly<Record<Action, { readonly role: RoleName; readonly needs: RegExp }>>;

export const ACTION_NAMES = Object.keys(ACTIONS) as Action[];

/**
 * What a user with these lists may do in these systems, by what the server says of its permissions. Systems of others,
 * which they may not even look at, say nothing of what they may do in their own. Pure.
 */
export function mayDo(specs: readonly Spec[], has: Parameters<typeof lackingOf>[1]): Readonly<Record<Action, May>> {
  const missingOf = (spec: Spec, action: Action): string[] => {
    const { role, needs } = ACTIONS[action];
    return lackingOf(permissionsFor(spec, role), has).filter((one) => needs.test(one));
  };
  const own = specs.filter((spec) => missingOf(spec, 'look').length === 0);
  const meant = own.length > 0 ? own : specs;
  return Object.fromEntries(
    ACTION_NAMES.map((action) => {
      const missing = meant.flatMap((spec) => missingOf(spec, action));
      const subjects = [...new Set(missing.map((one) => one.replace(/^(?:publish|subscribe) /, '')))];
      return [action, { allowed: subjects.length === 0, missing: subjects }];
    }),
  ) as unknown as Record<Action, May>;
}
