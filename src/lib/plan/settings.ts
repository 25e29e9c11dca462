import { isObject } from '../model/json.ts';
import type { Finding } from '../model/plan.ts';
import type { Spec } from '../model/spec.ts';
import { printDuration } from '../model/units.ts';

/** What a plan says of what is no resource's, and goes into the ledger with it: by these it is shown, and compared. */
export const SETTING = 'setting-changes';

/** By path: the limits of status, and how this system is reached. */
function settingsOf({ connection, queues }: Pick<Spec, 'connection' | 'queues'>): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string, value: unknown): void => {
    if (isObject(value)) for (const [key, each] of Object.entries(value)) walk(`${path}.${key}`, each);
    else if (value !== undefined && value !== null) {
      const isAge = /\.health\.oldest\.\w+$/.test(path) && typeof value === 'number';
      found.set(path, isAge ? printDuration(value) : JSON.stringify(value));
    }
  };
  walk('connection', connection);
  for (const [name, { health }] of Object.entries(queues)) walk(`queues.${name}.health`, health);
  return found;
}

/** What of that changes since it was applied last; nothing of queues that came or went with it. */
export function settingFindings(before: Spec, now: Spec): Finding[] {
  const [then, next] = [before, now].map(settingsOf) as [Map<string, string>, Map<string, string>];
  return [...new Set([...then.keys(), ...next.keys()])].flatMap((path): Finding[] => {
    const [from, to] = [then.get(path) ?? 'unset', next.get(path) ?? 'unset'];
    const queue = /^queues\.(.+)\.health\./.exec(path)?.[1] ?? Object.keys(now.queues)[0] ?? now.name;
    if (from === to || (path.startsWith('queues.') && !(queue in before.queues && queue in now.queues))) return [];
    const message = `${path} goes into the ledger with it: ${from} → ${to}`;
    return [{ code: SETTING, severity: 'info', resource: `stream ${queue}`, field: path, message }];
  });
}
