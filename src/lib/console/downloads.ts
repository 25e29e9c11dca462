import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { asBuffer } from '../model/bytes.ts';
import type { Context } from '../model/context.ts';
import { exportDeadLetters } from '../operations/dlq/export.ts';
import { showDeadLetter } from '../operations/dlq/show.ts';
import { getRequest } from '../operations/request/get.ts';
import type { Choice } from './choices.ts';
import { givenOf, readChoice } from './query.ts';
import type { Respond } from './server.ts';

// Bytes for a file: asked for by a link that works once, as a browser saves only what it is led to.

/** What bytes are of. */
export interface Wanted {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What they come from. */
export interface Source {
  readonly context: Context;
  readonly file: string | undefined;
  choice(id: unknown): Choice;
  /** The archive that a run of this console wrote. */
  written(run: string): string;
}

type Send = (source: Source, wanted: Wanted, response: Respond) => Promise<void> | void;

function begin(response: Respond, name: string): Respond {
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-disposition', `attachment; filename="${name.replace(/[^\w.-]/g, '_').slice(-100)}"`);
  return response;
}

/** One of what is named by an id. */
const ofId =
  (read: (source: Source, id: string) => Promise<Uint8Array | undefined>, none: (id: string) => string): Send =>
  async (source, { query }, response) => {
    const id = query.get('id') ?? '';
    const bytes = await read(source, id);
    if (!bytes) throw new OpsError('NOT_FOUND', none(id));
    begin(response, `${id}.bin`).end(asBuffer(bytes));
  };

const DOWNLOADS: readonly (readonly [RegExp, Send])[] = [
  [
    /^\/api\/dlq\/payload$/,
    ofId(
      async ({ context, file }, id) => (await showDeadLetter(context, { ids: [id], filter: {}, file })).payload,
      (id) => `nothing is left of the message of ${id}`,
    ),
  ],
  [
    /^\/api\/request\/response$/,
    ofId(
      async ({ context, file }, id) => (await getRequest(context, { id, file })).response,
      (id) => `the request ${id} has no response`,
    ),
  ],
  [
    /^\/api\/ids$/,
    ({ choice }, { query }, response) => {
      const { looked } = choice(query.get('plan'));
      begin(response, 'ids.txt').end([...looked.keys()].map((one) => `${one}\n`).join(''));
    },
  ],
  [
    /^\/api\/dlq\/export$/,
    async ({ context, file }, { query }, response) => {
      const { choice } = await readChoice('dlq export', givenOf(query), { now: context.now(), file });
      begin(response, 'dead-letters.ndjson');
      await exportDeadLetters(context, choice, (line) => written(response, `${line}\n`));
      response.end();
    },
  ],
  [
    /^\/api\/runs\/[\w-]+\/archive$/,
    async (source, { path }, response) => {
      const file = source.written(path.split('/')[3]!);
      const opened = await open(file).catch((cause) => {
        throw new OpsError('NOT_FOUND', `${file} cannot be read: ${systemReason(cause)}`, { cause });
      });
      // Who breaks off has the file closed with it.
      await pipeline(opened.createReadStream(), begin(response, basename(file)));
    },
  ],
];

const sendOf = (path: string): Send => {
  const found = DOWNLOADS.find(([pattern]) => pattern.test(path));
  if (found) return found[1];
  throw new OpsError('NOT_FOUND', `there is nothing to download at ${JSON.stringify(path.slice(0, 200))}`);
};

/** Reads what somebody wants to download. @throws OpsError NOT_FOUND */
export function readWantedBytes(path: unknown): Wanted {
  const [place = '', query = ''] = typeof path === 'string' ? path.split('?', 2) : [];
  sendOf(place);
  return { path: place, query: new URLSearchParams(query) };
}

/** Sends it. @throws OpsError NOT_FOUND, CONSOLE_EXPIRED, CONN_*, DENIED_* */
export const sendBytes: Send = (source, wanted, response) => sendOf(wanted.path)(source, wanted, response);

/** Waits where the reader is slower than we are. */
function written(response: Respond, text: string): Promise<void> | undefined {
  if (response.write(text) || response.destroyed) return undefined;
  return new Promise((resolve) => {
    response.once('drain', resolve).once('close', resolve);
  });
}
