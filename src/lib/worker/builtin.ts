import { lookup } from 'node:dns/promises';
import type { Job, Outcome, Runner } from './job.ts';

/** The names of the handlers that come with the tool. */
export const BUILTINS = ['dns', 'echo'] as const;
export type Builtin = (typeof BUILTINS)[number];

/** A response as the bash loop of the nats CLI writes it, blanks included. */
const answer = ({ id, body }: Job, response: unknown): Outcome => ({
  type: 'answer',
  value: `{"id": ${JSON.stringify(id)}, "query": ${JSON.stringify(body.query ?? null)}, "response": ${JSON.stringify(response)}}`,
});

const ENDLESS = new Set(['ENOTFOUND', 'ENODATA']);

/** The addresses of a name as this machine resolves it, its hosts file included. */
async function resolve(job: Job): Promise<Outcome> {
  const { query } = job.body;
  if (typeof query !== 'string' || query === '') return { type: 'reject', reason: 'the query is no host name' };
  if (query.length > 253 || /[\s\p{Cc}]/u.test(query)) return { type: 'reject', reason: 'the query is no host name' };
  try {
    const found = await lookup(query, { all: true, order: 'verbatim' });
    const of = (family: number) => found.filter((one) => one.family === family).map(({ address }) => address);
    return answer(job, { A: of(4), AAAA: of(6) });
  } catch (error) {
    const { code = 'no code' } = error as NodeJS.ErrnoException;
    // That a name does not exist is an answer; that nobody could be asked is none.
    if (ENDLESS.has(code)) return answer(job, { error: code });
    return { type: 'failure', reason: `the resolver says ${code} for ${query}` };
  }
}

const DO: Readonly<Record<Builtin, (job: Job) => Outcome | Promise<Outcome>>> = {
  echo: (job) => answer(job, 'Success'),
  dns: resolve,
};

/** A built-in handler. It runs among us: nothing in it hangs or throws. */
export function createBuiltin(name: Builtin): Runner {
  const work = DO[name];
  return { run: async (job) => work(job), stop: async () => {} };
}
