import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the page as it is sent. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly encoding?: 'gzip';
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

/** What is smaller when it is compressed. */
const TEXTS = ['html', 'js', 'css', 'svg', 'json'];

/** A flat folder: what is no plain name of a file is asked for nowhere. */
const NAME = /^[A-Za-z0-9_-]+\.([a-z0-9]{2,5})$/;

const readIf = async (file: string): Promise<Buffer | undefined> => {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
};

/** Compressed once for each content: the files are few, and change only while somebody works on the page. */
const zipped = new Map<string, Promise<Buffer>>();

function zip(bytes: Buffer, etag: string): Promise<Buffer> {
  const made = zipped.get(etag) ?? promisify(gzip)(bytes, { level: 9 });
  zipped.set(etag, made);
  return made;
}

/** The file of a path, compressed where that is taken and worth it; `undefined` where there is none. */
export async function readPage(dir: string, path: string, accepts: string): Promise<PageFile | undefined> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const ending = NAME.exec(name)?.[1] ?? '';
  const type = TYPES[ending];
  if (type === undefined) return undefined;
  const bytes = await readIf(join(dir, name));
  if (!bytes) return undefined;
  const etag = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  if (!TEXTS.includes(ending) || !/\bgzip\b/.test(accepts)) return { bytes, type, etag: `"${etag}"` };
  return { bytes: await zip(bytes, etag), type, etag: `"${etag}-gzip"`, encoding: 'gzip' };
}
