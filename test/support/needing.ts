import { describe, test } from '@jest/globals';
import { here } from './here.ts';
import { isNotHere, type Need } from './needs.ts';

interface Registering {
  readonly describe: typeof describe;
  readonly test: typeof test;
}

/** Both as jest has them where all that they need is here; else they skip, with a title that says why. */
export function needing(...needs: readonly Need[]): Registering {
  const lack = needs.find((need) => isLacking(need));
  return lack === undefined ? { describe, test } : skipping(lack);
}

function isLacking(need: Need): boolean {
  const { lines, lacking } = here();
  const [, line] = /^nats-server (.*)/.exec(need) ?? [];
  return line === undefined ? lacking.includes(need) : !lines.includes(line);
}

type Skip = ((title: string, body: unknown) => void) & {
  each(table: unknown): (title: string, body: unknown) => void;
};

/** What `needing` gives where this one is not here. */
export function skipping(lack: Need): Registering {
  const named = (skip: Skip): object => {
    const say = (title: string): string => `${title} ${isNotHere(lack)}`;
    const tell = (title: string, body: unknown): void => skip(say(title), body);
    const each = (table: unknown) => (title: string, body: unknown) => skip.each(table)(say(title), body);
    return Object.assign(tell, { each, concurrent: tell });
  };
  return {
    describe: named(describe.skip as Skip) as typeof describe,
    test: named(test.skip as Skip) as typeof test,
  };
}
