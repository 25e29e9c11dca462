import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { callWords } from '../model/call.ts';
import type { Answers, PlanExtra } from '../model/wire.ts';
import { planEach } from '../operations/planned/each.ts';
import { planJson } from '../plan/json.ts';
import type { ShownFile } from './acts.ts';
import type { Asked, Looked } from './looks.ts';

const MOST_PLANS = 32;

/** A plan is applied as it was shown, or not at all: what was shown is kept as the file that it would be. */
export class Plans {
  readonly #dir: string;
  readonly #specs: readonly string[];
  readonly #shown = new Map<string, ShownFile>();

  constructor(dir: string, specs: readonly string[]) {
    this.#dir = dir;
    this.#specs = specs;
  }

  async look({ context, given }: Asked): Promise<Looked<Answers['/api/plan']>> {
    const prune = given.get('prune')?.[0] === '1';
    const planned = await planEach(context, { specs: this.#specs, prune });
    // Of several that were applied a terminal plans those whose specs are named: which file that is, only people know.
    const specOf = ({ plan, source }: (typeof planned)[number]) =>
      source ?? (planned.length > 1 ? `${plan.system}.yaml` : undefined);
    const plans = await Promise.all(
      planned.map(async (each): Promise<PlanExtra> => {
        const { plan, saved, source, pending } = each;
        const { system } = plan;
        return { system, digest: await this.#keep(system, saved, specOf(each)), pending, source: source ?? null };
      }),
    );
    if (planned.length > 1 && planned.some(({ source }) => source === undefined)) {
      const text =
        'several systems were applied here: the line names a file for the spec of each; put yours in its place';
      context.io.tell({ type: 'note', text });
    }
    const argv = [
      ...callWords(context.connection, undefined, 'plan'),
      ...planned.flatMap((each) => specOf(each) ?? []),
      ...(prune ? ['--prune'] : []),
    ];
    return { result: planned.map(({ plan }) => planJson(plan)), argv, more: { plans } };
  }

  async #keep(system: string, saved: string, source: string | undefined): Promise<string> {
    const digest = createHash('sha256').update(saved).digest('hex');
    const file = join(this.#dir, `${digest}.plan`);
    await writeFile(file, saved, { mode: 0o600 });
    this.#shown.delete(digest);
    this.#shown.set(digest, { file, named: `${system}.plan`, ...(source !== undefined && { source }) });
    for (const [old, { file: stale }] of [...this.#shown].slice(0, Math.max(0, this.#shown.size - MOST_PLANS))) {
      this.#shown.delete(old);
      await rm(stale, { force: true });
    }
    return digest;
  }

  /** @throws OpsError CONSOLE_EXPIRED */
  get(digest: unknown): ShownFile {
    const found = typeof digest === 'string' ? this.#shown.get(digest) : undefined;
    if (found) return found;
    throw new OpsError('CONSOLE_EXPIRED', 'there is no such plan any more', { hints: ['look at the plan again'] });
  }
}
