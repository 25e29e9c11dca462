import { numberOf, objectOf } from '../model/json.ts';
import { type Answer, answerOf } from './answer.ts';
import type { Nats } from './port.ts';

/** What the account uses, and how much of it it may; -1 is unlimited. */
export interface AccountUsage {
  readonly storage: number;
  readonly memory: number;
  readonly streams: number;
  readonly consumers: number;
  readonly limits: {
    readonly max_storage: number;
    readonly max_memory: number;
    readonly max_streams: number;
    readonly max_consumers: number;
  };
}

/** What the account uses of JetStream. */
export const readAccount = (nats: Nats): Promise<Answer<AccountUsage>> =>
  answerOf(
    nats.api('INFO').then((info) => {
      const limits = objectOf(info.limits);
      return {
        storage: numberOf(info.storage),
        memory: numberOf(info.memory),
        streams: numberOf(info.streams),
        consumers: numberOf(info.consumers),
        limits: {
          max_storage: numberOf(limits.max_storage, -1),
          max_memory: numberOf(limits.max_memory, -1),
          max_streams: numberOf(limits.max_streams, -1),
          max_consumers: numberOf(limits.max_consumers, -1),
        },
      };
    }),
  );
