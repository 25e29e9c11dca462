import type { Io } from '../model/io.ts';
import type { Plan } from '../model/plan.ts';

/** Tells a host how far the changes of a plan are. */
export interface Teller {
  begin(): void;
  started(change: number): void;
  done(change: number): void;
  failed(change: number, why: string): void;
  end(): void;
}

/** More tasks than this are told as one figure that grows. */
const LISTED = 40;

/** A line for each change where they are few, else one progress. */
export function createTeller(plan: Plan, io: Pick<Io, 'tell'>): Teller {
  const title = `Applying ${plan.system}`;
  const total = plan.changes.length;
  if (total > LISTED) {
    let done = 0;
    return {
      begin: () => io.tell({ type: 'progress', title, done, total }),
      started() {},
      done: () => io.tell({ type: 'progress', title, done: ++done, total }),
      failed(change, why) {
        const { action, kind, name } = plan.changes[change]!;
        io.tell({ type: 'warning', text: `${action} ${kind} ${name}: ${why}` });
      },
      end() {},
    };
  }
  const open = new Set(plan.changes.keys());
  const begun = new Set<number>();
  return {
    begin: () =>
      io.tell({
        type: 'tasks',
        title,
        tasks: plan.changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`),
      }),
    started(index) {
      if (begun.has(index)) return;
      begun.add(index);
      io.tell({ type: 'task', index, state: 'started' });
    },
    done(index) {
      open.delete(index);
      io.tell({ type: 'task', index, state: 'done' });
    },
    failed(index, detail) {
      open.delete(index);
      io.tell({ type: 'task', index, state: 'failed', detail });
    },
    end() {
      for (const index of open) io.tell({ type: 'task', index, state: 'skipped' });
      io.tell({ type: 'tasks-end' });
    },
  };
}
