import type { AccountUsage, Usage } from '../model/account.ts';
import { type Config, numberOf, objectOf } from '../model/json.ts';
import { type Answer, answerOf } from './answer.ts';
import type { Nats } from './port.ts';

/** Up to 2.10 a stream without max_bytes counts -1, and the sum is unsigned: of such streams alone it is nearly 2^64. */
function reservedOf(value: unknown): number {
  const bytes = numberOf(value);
  return bytes > Number.MAX_SAFE_INTEGER ? 0 : bytes;
}

function usageOf(info: Config): Usage {
  const limits = objectOf(info.limits);
  return {
    storage: numberOf(info.storage),
    memory: numberOf(info.memory),
    reserved_storage: reservedOf(info.reserved_storage),
    reserved_memory: reservedOf(info.reserved_memory),
    streams: numberOf(info.streams),
    consumers: numberOf(info.consumers),
    limits: {
      max_storage: numberOf(limits.max_storage, -1),
      max_memory: numberOf(limits.max_memory, -1),
      max_streams: numberOf(limits.max_streams, -1),
      max_consumers: numberOf(limits.max_consumers, -1),
    },
  };
}

/** As the server tells it; where there are tiers it says 0 for the limits of the whole. */
export function toAccountUsage(info: Config): AccountUsage {
  const tiers = Object.entries(objectOf(info.tiers)).map(([name, tier]) => [name, usageOf(objectOf(tier))] as const);
  if (tiers.length === 0) return usageOf(info);
  return { ...usageOf({ ...info, limits: {} }), tiers: Object.fromEntries(tiers) };
}

/** What the account uses of JetStream. */
export const readAccount = (nats: Nats): Promise<Answer<AccountUsage>> =>
  answerOf(nats.api('INFO').then(toAccountUsage));
