import { useState } from 'preact/hooks';
import { useLine, useRun } from '../run.ts';
import { say } from '../state.ts';
import { Button, Dialog, Foot, shown } from './basics.tsx';

/** Asks the console's process, and closes when it is under way. */
function useDeed(onClose: () => void) {
  const { run, ...rest } = useRun();
  const act = async (body: Record<string, unknown>, done: string) => {
    if (!(await run(body))) return;
    say(done);
    onClose();
  };
  return { ...rest, act };
}

export function PauseDialog({ queue, onClose }: { queue: string; onClose: () => void }) {
  const [length, setLength] = useState('1h');
  const { error, not, act } = useDeed(onClose);
  const deed = { verb: 'pause', target: queue, for: length };
  const line = useLine(deed);
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
      <Foot no="No, leave it" onNo={onClose} error={error} line={line}>
        <Button kind="main" not={not} onPress={() => void act(deed, `${queue} is being paused`)}>
          Pause for {shown(length)}
        </Button>
      </Foot>
    </Dialog>
  );
}

export function ResumeDialog({ queue, onClose }: { queue: string; onClose: () => void }) {
  const { error, not, act } = useDeed(onClose);
  const deed = { verb: 'resume', target: queue };
  const line = useLine(deed);
  return (
    <Dialog title={`Resume ${shown(queue)}?`} onClose={onClose}>
      <p>Workers get what waits, from now on.</p>
      <Foot no="No, leave it" onNo={onClose} error={error} line={line}>
        <Button kind="main" not={not} onPress={() => void act(deed, `${queue} is being resumed`)}>
          Resume
        </Button>
      </Foot>
    </Dialog>
  );
}
