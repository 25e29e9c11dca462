import {
  DefaultRenderer,
  Listr,
  ListrDefaultRendererLogLevels,
  ListrLogger,
  type ListrTaskWrapper,
  ProcessOutput,
} from 'listr2';
import { Fault } from '../errors/fault.ts';
import type { Event } from '../model/io.ts';
import { createTheme } from './theme.ts';

type TaskEvent = Extract<Event, { type: 'task' }>;
type Wrapper = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof DefaultRenderer>;

/** A list of tasks on the terminal. `end` resolves when the last drawing is out and the cursor is back. */
export interface TaskBoard {
  tell(event: TaskEvent): void;
  end(): Promise<void>;
}

export interface BoardOptions {
  readonly title: string;
  readonly tasks: readonly string[];
  readonly colour: boolean;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** One task's way through listr: it runs until it is told how it ended. */
interface Slot {
  wrapper?: Wrapper;
  last?: TaskEvent;
  settle(): void;
  readonly settled: Promise<void>;
}

function createSlot(): Slot {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { settle: resolve, settled: promise };
}

/** Starts drawing. A list longer than the screen is drawn as one counting line, since a terminal cannot scroll back to redraw. */
export function startTaskBoard(options: BoardOptions): TaskBoard {
  const fits = options.tasks.length < (options.stderr.rows ?? 24) - 3;
  return fits ? startList(options) : startCounter(options);
}

function startList({ title, tasks, colour, stderr, signal }: BoardOptions): TaskBoard {
  const theme = createTheme({ colour });
  const slots = tasks.map(createSlot);
  const listr = createListr({ colour, stderr });
  stderr.write(`${theme.strong(title)}\n`);
  listr.add(
    tasks.map((name, index) => ({
      title: theme.faint(name),
      task: async (_: unknown, wrapper: Wrapper) => {
        const slot = slots[index]!;
        slot.wrapper = wrapper;
        if (slot.last?.state === 'started') wrapper.title = name;
        await slot.settled;
        wrapper.title = name;
        const detail = slot.last?.detail;
        if (slot.last?.state === 'failed') throw new TaskFailed(detail ?? 'failed');
        if (slot.last?.state !== 'done') wrapper.skip(`${name}: ${detail ?? WORDS[slot.last?.state ?? 'waiting']}`);
        else if (detail) wrapper.title = `${name}: ${detail}`;
      },
    })),
  );
  return drive({
    listr,
    slots,
    signal,
    onStart: (slot, index) => {
      if (slot.wrapper) slot.wrapper.title = tasks[index]!;
    },
  });
}

/** For a task that the list ended without. */
const WORDS = { waiting: 'not reached', started: 'interrupted', skipped: 'skipped', failed: 'failed' } as const;

/** What listr shows under a failed task; the failure itself travels with the operation's own error. */
class TaskFailed extends Fault {}

function startCounter({ title, tasks, colour, stderr, signal }: BoardOptions): TaskBoard {
  const slot = createSlot();
  let wrapper: Wrapper | undefined;
  const counts = { started: 0, done: 0, failed: 0, skipped: 0 };
  const text = () => {
    const others = (['failed', 'skipped'] as const).filter((state) => counts[state] > 0);
    return `${title}: ${counts.done} of ${tasks.length} done${others.map((state) => `, ${counts[state]} ${state}`).join('')}`;
  };
  const listr = createListr({ colour, stderr });
  listr.add({
    title: text(),
    task: async (_: unknown, given: Wrapper) => {
      wrapper = given;
      await slot.settled;
      wrapper.title = text();
      if (counts.failed > 0) throw new TaskFailed(text());
    },
  });
  const board = drive({ listr, slots: [slot], signal, onStart: () => {} });
  return {
    tell(event) {
      counts[event.state] += 1;
      if (wrapper) wrapper.title = text();
      if (event.state === 'failed') stderr.write(`${tasks[event.index]}: ${event.detail ?? 'failed'}\n`);
    },
    end: board.end,
  };
}

interface Drive {
  readonly listr: Listr<unknown, typeof DefaultRenderer, typeof DefaultRenderer>;
  readonly slots: readonly Slot[];
  readonly signal: AbortSignal;
  onStart(slot: Slot, index: number): void;
}

function drive({ listr, slots, signal, onStart }: Drive): TaskBoard {
  const settleAll = () => {
    for (const slot of slots) slot.settle();
  };
  const running = listr.run().then(
    () => undefined,
    () => undefined,
  );
  // The terminal is given back before the interruption is told, whoever forgets to end the list.
  signal.addEventListener('abort', settleAll, { once: true });
  return {
    tell(event) {
      const slot = slots[event.index];
      if (!slot) return;
      slot.last = event;
      if (event.state === 'started') onStart(slot, event.index);
      else slot.settle();
    },
    async end() {
      settleAll();
      await running;
      signal.removeEventListener('abort', settleAll);
    },
  };
}

const plainColours = Object.fromEntries(
  Object.values(ListrDefaultRendererLogLevels).map((level) => [level, (text?: string) => text ?? '']),
);

/** listr2 draws on stdout, asks stdout whether it is a terminal and ends the process at Ctrl-C: none of it may happen here. */
function createListr({ colour, stderr }: { colour: boolean; stderr: NodeJS.WriteStream }) {
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  return new Listr<unknown, typeof DefaultRenderer, typeof DefaultRenderer>([], {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: StderrRenderer,
    rendererOptions: {
      collapseErrors: false,
      logger: new ListrLogger({ processOutput: new ProcessOutput(stderr, stderr, { leaveEmptyLine: false }) }),
      ...(colour ? {} : { color: plainColours }),
    },
  });
}
