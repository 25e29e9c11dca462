import { OpsError } from '../errors/ops-error.ts';
import type { Context } from '../model/context.ts';
import type { Permissions, RoleName } from '../model/permissions.ts';
import { permissionsFor } from '../permissions/roles.ts';
import { chooseSources, loadForWork, type SpecChoice } from './spec-source.ts';

/** What a role needs for the system of a spec. Asks no server. @throws OpsError USAGE_NO_SPEC, SPEC_* */
export async function permissionsOperation(context: Context, choice: SpecChoice, role: RoleName): Promise<Permissions> {
  const [source] = chooseSources(context, choice);
  if (source === undefined) {
    throw new OpsError('USAGE_NO_SPEC', 'no spec was named', {
      why: 'Permissions are made from a spec alone; no server is asked.',
      hints: ['name one, as in `osapi-ops permissions config/prod.yaml viewer`'],
    });
  }
  return permissionsFor((await loadForWork(context, source)).spec, role);
}
