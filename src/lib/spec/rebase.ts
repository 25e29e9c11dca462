import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { ConnectionSpec } from '../model/spec.ts';
import { type Node, nodeAt } from './tree.ts';

const PATHS = ['creds', 'nkey', 'tls_cert', 'tls_key', 'tls_ca'] as const satisfies readonly (keyof ConnectionSpec)[];

/** Neither absolute, nor from a home or a variable, nor a reference such as `env://NAME` or `data:…`. */
const isRelative = (path: string): boolean => !isAbsolute(path) && !/^(?:[~$]|data:|[a-z]+:\/\/)/.test(path);

/**
 * The connection of a spec whose paths are relative to the file that says them, relative to the spec's own file: an
 * extended file may lie in another directory. They stay relative, so that a spec is the same in every checkout.
 */
export function rebaseConnection(connection: ConnectionSpec, root: Node, source: string, cwd: string): ConnectionSpec {
  const home = source === '-' ? cwd : dirname(resolve(cwd, source));
  const rebased = PATHS.flatMap((field) => {
    const written = connection[field];
    const file = nodeAt(root, ['connection', field])?.place.file.name;
    if (written === undefined || file === undefined) return [];
    const [, scheme = '', path = ''] = /^(file:\/\/)?(.*)$/s.exec(written)!;
    const folder = file === '<stdin>' ? cwd : dirname(resolve(cwd, file));
    if (folder === home || !isRelative(path)) return [];
    return [[field, `${scheme}${relative(home, join(folder, path))}`]];
  });
  return { ...connection, ...Object.fromEntries(rebased) };
}
