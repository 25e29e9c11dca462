import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** How large the space for young objects gets, in MiB; V8 begins with 1 and goes to 32. */
const YOUNG_MIB = 8;
/** How often it is looked whether it got there, in milliseconds: it does in the first tenths of a second of many. */
const LOOK_MS = 5;
/** How much the old objects may grow, in percent, before they are looked through; V8 waits for up to three times as much. */
const GROWTH = 50;

/**
 * Keeps V8 from taking memory to save time: a stream of a million short-lived objects would have it take some 300 MB more,
 * for a tenth of the time. With as little room for young ones as it begins with, a third of the time would go into
 * clearing it. A V8 that does not know a flag goes on as before.
 */
export function keepHeapSmall(): void {
  const grow = (factor: number) => setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
  grow(YOUNG_MIB);
  const look = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young && young.space_size < YOUNG_MIB * 2 ** 20) return;
    grow(1);
    clearInterval(look);
  }, LOOK_MS).unref();
}
