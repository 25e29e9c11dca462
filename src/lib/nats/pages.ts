import type { Config } from '../model/json.ts';
import { type Answer, answerOf } from './answer.ts';
import { notJetStream } from './exchange.ts';
import { pipelined } from './pipeline.ts';
import type { Nats } from './port.ts';

/** Far more than any server has: a million names, or a hundred million subjects. */
const MOST_PAGES = 1000;
const AT_ONCE = 8;

/** A listing that the server gives in pages. */
export interface Listing<T> {
  /** What is asked, for an error. */
  readonly subject: string;
  page(offset: number): Promise<Config>;
  /** What a page holds, each under its name. */
  entries(page: Config): readonly (readonly [name: string, value: T])[];
  /** With so many on the first page the rest is not asked for. */
  readonly enough?: number;
}

/**
 * Reads a listing. The first page tells how many there are, so that the others are read side by side, and a server that
 * counts on for ever is not followed. Names that a cluster gives as `missing` (they have no leader) take room in a page.
 * @throws OpsError SERVER_REFUSED where the pages cannot be those of one listing; what `page` and `entries` throw
 */
export async function readPages<T>(listing: Listing<T>): Promise<Map<string, T>> {
  const { subject, enough = Number.POSITIVE_INFINITY } = listing;
  const found = new Map<string, T>();
  const read = async (offset: number): Promise<{ total: number; size: number }> => {
    const page = await listing.page(offset);
    const { total = 0, missing } = page;
    if (!Number.isSafeInteger(total)) throw notJetStream(subject, 'It does not count what it lists.');
    const items = listing.entries(page);
    const size = new Set([...items.map(([name]) => name), ...(Array.isArray(missing) ? missing : [])]).size;
    const before = found.size;
    for (const [name, value] of items) found.set(name, value);
    if (size === 0 && Number(total) > offset) {
      throw notJetStream(subject, `It counts ${total}, and lists none from ${offset} on.`);
    }
    if (items.length > 0 && found.size === before) throw notJetStream(subject, 'It lists the same once more.');
    return { total: Number(total), size };
  };
  const { total, size } = await read(0);
  if (total <= size || found.size >= enough) return found;
  const more = Math.ceil(total / size) - 1;
  if (more >= MOST_PAGES) throw notJetStream(subject, `It counts ${total}, and lists ${size} at a time.`);
  await pipelined(Array.from({ length: more }), AT_ONCE, (_, index) => read((index + 1) * size));
  return found;
}

/** Reads a listing of names, or of things that have one, whole. */
export function readList<T extends string | { readonly name: string }>(
  nats: Nats,
  name: string,
  {
    field,
    parse,
    body,
    enough,
  }: {
    /** Where a page has its list. */
    readonly field: string;
    parse(subject: string, item: unknown): T;
    readonly body?: object;
    readonly enough?: number;
  },
): Promise<Answer<T[]>> {
  const subject = `${nats.settings.apiPrefix}.${name}`;
  const entries = (page: Config) => {
    const list = page[field] ?? [];
    if (!Array.isArray(list)) throw notJetStream(subject, `Its ${field} are no list.`);
    return list.map((one) => {
      const item = parse(subject, one);
      return [typeof item === 'string' ? item : item.name, item] as const;
    });
  };
  const page = (offset: number) => nats.api(name, { ...body, offset });
  return answerOf(readPages({ subject, page, entries, enough }).then((all) => [...all.values()]));
}
