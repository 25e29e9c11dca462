import { useState } from 'preact/hooks';
import { runIt, say } from '../state.ts';
import type { WireError } from '../wire.ts';
import { Button, Dialog, Refusal, shown } from './basics.tsx';

/** Asks, and does it as a run; closes when it is under way. */
function useRun(onClose: () => void) {
  const [error, setError] = useState<WireError | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const run = async (body: Record<string, unknown>, done: string) => {
    setBusy(true);
    const answer = await runIt(body);
    setBusy(false);
    if (!answer.ok) setError(answer.error);
    else {
      say(done);
      onClose();
    }
  };
  return { error, busy, run };
}

export function PauseDialog({ queue, onClose }: { queue: string; onClose: () => void }) {
  const [length, setLength] = useState('1h');
  const { error, busy, run } = useRun(onClose);
  return (
    <Dialog title={`Pause ${shown(queue)}?`} onClose={onClose}>
      <p>
        Workers get nothing more of it until it is resumed. Publishers go on, so what waits grows. What is in flight is
        finished.
      </p>
      <label class="field">
        <span>for how long</span>
        <input
          value={length}
          onInput={({ currentTarget }) => setLength(currentTarget.value)}
          placeholder="1h, 30m, 2d"
        />
      </label>
      {error && <Refusal error={error} heading="h3" />}
      <footer>
        <button type="button" autofocus onClick={onClose}>
          No, leave it
        </button>
        <Button
          kind="main"
          not={busy ? 'under way' : undefined}
          onPress={() => void run({ verb: 'pause', target: queue, for: length }, `${queue} is being paused`)}
        >
          Pause for {shown(length)}
        </Button>
      </footer>
    </Dialog>
  );
}

export function ResumeDialog({ queue, onClose }: { queue: string; onClose: () => void }) {
  const { error, busy, run } = useRun(onClose);
  return (
    <Dialog title={`Resume ${shown(queue)}?`} onClose={onClose}>
      <p>Workers get what waits, from now on.</p>
      {error && <Refusal error={error} heading="h3" />}
      <footer>
        <button type="button" autofocus onClick={onClose}>
          No, leave it
        </button>
        <Button
          kind="main"
          not={busy ? 'under way' : undefined}
          onPress={() => void run({ verb: 'resume', target: queue }, `${queue} is being resumed`)}
        >
          Resume
        </Button>
      </footer>
    </Dialog>
  );
}
