import type { Nats } from '../nats/connect.ts';
import { acknowledge, type Delivery, WORKING } from '../nats/consume.ts';
import { ackWaitMs, type Timing } from './timing.ts';

/** Keeps deliveries from being given to somebody else while they are in hand here. */
export interface Leases {
  hold(delivery: Delivery): void;
  release(delivery: Delivery): void;
  stop(): void;
}

/** The part of the ack wait after which it is told that the work goes on. */
const AT = 0.4;

/** Tells the server in good time that work goes on: the ack wait of a delivery then starts again. */
export function createLeases(nats: Nats, timing: Timing): Leases {
  const held = new Map<Delivery, { readonly afterMs: number; told: number }>();
  const shortest = Math.min(timing.ackWaitMs, ...timing.backoffMs);
  const timer = setInterval(
    () => {
      const now = performance.now();
      for (const [delivery, lease] of held) {
        if (now - lease.told < lease.afterMs) continue;
        lease.told = now;
        acknowledge(nats, delivery, WORKING);
      }
    },
    Math.min(1000, Math.max(5, shortest * 0.15)),
  );
  return {
    hold: (delivery) =>
      void held.set(delivery, { afterMs: ackWaitMs(timing, delivery.delivery) * AT, told: performance.now() }),
    release: (delivery) => void held.delete(delivery),
    stop: () => clearInterval(timer),
  };
}
