import { readAllApplied } from '../ledger/store.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Action, May } from '../model/wire.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { askWhoAmI } from '../nats/whoami.ts';
import { ACTION_NAMES, mayDo } from '../permissions/actions.ts';

export { ACTION_NAMES };

/**
 * What this user may do, as the server tells; nothing is tried. Where it does not tell, all of it: then the server says
 * it when it is asked. @throws OpsError CONN_*
 */
export async function readMay(nats: Nats, specs: readonly LoadedSpec[]): Promise<Readonly<Record<Action, May>>> {
  const [who, applied] = await Promise.all([
    askWhoAmI(nats),
    specs.length > 0 ? [] : orElse(answerOf(readAllApplied(nats)), { missing: [], denied: [] }),
  ]);
  const known = specs.length > 0 ? specs : applied;
  return mayDo(
    known.map(({ spec }) => spec),
    who ?? { publish: { deny: [] }, subscribe: { deny: [] } },
  );
}
