import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { contextDirectory } from '../nats/contexts.ts';

type Env = Readonly<Record<string, string | undefined>>;

export const DEV_CONTEXT = 'osapi-dev';
/** By this description we know a context as ours; any other of that name belongs to its author. */
const MARK = 'written by osapi-ops dev, removed when it stops';

export const devContextPath = (env: Env): string => join(contextDirectory(env), 'context', `${DEV_CONTEXT}.json`);

function read(path: string): { description?: string; url?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Writes the nats context `osapi-dev`, for `nats --context osapi-dev` and `osapi-ops --context osapi-dev`.
 * @throws OpsError DEV_FAILED where a person has one of that name
 */
export function writeDevContext(env: Env, urls: readonly string[]): string {
  const path = devContextPath(env);
  if (existsSync(path) && read(path)?.description !== MARK) {
    throw new OpsError('DEV_FAILED', `there is a nats context ${DEV_CONTEXT} that osapi-ops did not write`, {
      where: path,
      why: "It is somebody's own and would be lost.",
      hints: [`rename it, or start without \`--context\``],
    });
  }
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ description: MARK, url: urls.join(',') }, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
  return path;
}

/** Removes the context where it is ours and still points to these servers. */
export function removeDevContext(env: Env, urls: readonly string[]): void {
  const found = read(devContextPath(env));
  if (found?.description === MARK && found.url === urls.join(',')) rmSync(devContextPath(env), { force: true });
}
