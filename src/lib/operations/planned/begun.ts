import { findUnfinished } from '../../migrate/read.ts';
import type { Unfinished } from '../../model/migration.ts';
import { type Desired, keyOf } from '../../model/resource.ts';
import type { Nats } from '../../nats/connect.ts';
import { isUnderWay } from '../../plan/moves.ts';
import { ownerOf } from '../../risk/subject.ts';

/** Migrations of a system that were begun and not ended: by its mark, or by a name of its spec. */
export async function findBegun(nats: Nats, desired: Desired): Promise<Unfinished[]> {
  const all = await findUnfinished(nats);
  const keys = desired.resources.map(keyOf);
  return all.filter(
    (each) => ownerOf(each.migration.before) === desired.system || keys.some((key) => isUnderWay(each, key)),
  );
}
