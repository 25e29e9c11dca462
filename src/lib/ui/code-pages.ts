import { hostname } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createSupportsHyperlinks } from 'supports-hyperlinks';
import { CODES } from '../errors/codes.ts';

/** Where the page of a code is; `undefined` for what has none. */
export type PageOf = (code: string) => string | undefined;

function fileOf(code: string): string | undefined {
  if (Object.hasOwn(CODES, code)) return 'errors.md';
  if (/^CHECK_[A-Z_]+$/.test(code)) return 'checks.md';
  if (/^RISK_[A-Z_]+$/.test(code)) return 'risks.md';
  return /^SPEC_[A-Z0-9_]+$/.test(code) ? 'rules.md' : undefined;
}

/**
 * The pages that ship in the package, on this very machine: its name is in their address, so that a terminal that looks in
 * from another one knows that they are not there.
 * @param root of the package
 */
export const pagesIn =
  (root: string): PageOf =>
  (code) => {
    const file = fileOf(code);
    if (file === undefined) return undefined;
    const url = pathToFileURL(join(root, 'docs', file));
    // A host makes it a network share there.
    if (process.platform !== 'win32') url.hostname = hostname();
    url.hash = code.toLowerCase();
    return url.href;
  };

/** The same where a stream is a terminal that shows links; `undefined` elsewhere, and where colours are not wanted. */
export const linkedPages = (
  root: string | undefined,
  stream: NodeJS.WriteStream,
  { colour }: { readonly colour: boolean },
): PageOf | undefined =>
  root !== undefined && colour && stream.isTTY && createSupportsHyperlinks(stream) ? pagesIn(root) : undefined;
