import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the page as it is sent. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly encoding?: 'br' | 'gzip';
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
};

/** A flat folder: what is no plain name of a file is asked for nowhere. */
const NAME = /^[A-Za-z0-9_-]+\.([a-z0-9]{2,5})$/;

const readIf = async (file: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
};

/** The file of a path, compressed where that lies beside it and is taken; `undefined` where there is none. */
export async function readPage(dir: string, path: string, accepts: string): Promise<PageFile | undefined> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = TYPES[NAME.exec(name)?.[1] ?? ''];
  if (type === undefined) return undefined;
  const wanted = [
    { suffix: '.br', encoding: 'br', takes: /\bbr\b/ },
    { suffix: '.gz', encoding: 'gzip', takes: /\bgzip\b/ },
  ] as const;
  for (const { suffix, encoding, takes } of wanted) {
    const bytes = takes.test(accepts) ? await readIf(join(dir, name + suffix)) : undefined;
    if (bytes) return { bytes, type, etag: etagOf(bytes), encoding };
  }
  const bytes = await readIf(join(dir, name));
  return bytes && { bytes, type, etag: etagOf(bytes) };
}

const etagOf = (bytes: Buffer): string => `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
