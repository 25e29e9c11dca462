import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LOOK_MS = 5000;

/**
 * Where a module, or one that it imports, cannot be parsed, as `URL:LINE`; undefined where Node does not say. An error of
 * `import()` does not hold the place (Node 24); what ends a process does. Nothing of the module runs: it is not linked.
 * @param url of a module that was found to be unloadable
 */
export const placeOfFault = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const look = ['--input-type=module', '--eval', `await import(${JSON.stringify(url)})`];
    execFile(process.execPath, look, { timeout: LOOK_MS }, (_, __, stderr) =>
      resolve(/^(?:file:|\/|[a-z]:\\).*:\d+$/im.exec(stderr)?.[0]),
    );
  });

/** `file:///dir/a.mjs:3` as a person writes it. */
export const pathOf = (place: string): string => {
  const [, url = place, line = ''] = /^(file:.*)(:\d+)$/.exec(place) ?? [];
  return url.startsWith('file:') ? `${fileURLToPath(url)}${line}` : url;
};
