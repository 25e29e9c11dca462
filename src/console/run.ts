// What a dialog begins in the console's process, and how it goes on.
import { useEffect, useState } from 'preact/hooks';
import { act, ask } from './client.ts';
import { go, remember, runIt } from './state.ts';
import type { Run, WireError } from './wire.ts';

/** Says yes to the first question of a run, once it is asked. */
export async function answerFirst(id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const got = await ask(`/api/runs/${id}`);
    if (!got.ok || got.body.state === 'done' || got.body.state === 'failed' || got.body.state === 'stopped') return;
    const question = got.body.question;
    if (question?.type === 'confirm') {
      const answered = await act(`/api/runs/${id}/answer`, { question: question.n, answer: true });
      if (answered.ok) remember(answered.body);
      return;
    }
    if (question) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The line that does what this run would do; none while it could not be begun. */
export function useLine(body: Record<string, unknown> | undefined): string | undefined {
  const [line, setLine] = useState<string | undefined>(undefined);
  const asked = JSON.stringify(body);
  useEffect(() => {
    if (!body) return;
    const abort = new AbortController();
    void act('/api/lines', body, { signal: abort.signal }).then((answer) => {
      if (!abort.signal.aborted) setLine(answer.ok ? answer.body.text : undefined);
    });
    return () => abort.abort();
  }, [asked]);
  return body && line;
}

/** Begins runs from a dialog: `error` says why one was refused, `not` why none may be begun now. */
export function useRun() {
  const [error, setError] = useState<WireError | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const run = async (body: Record<string, unknown>): Promise<Run | undefined> => {
    setBusy(true);
    const answer = await runIt(body);
    setBusy(false);
    setError(answer.ok ? undefined : answer.error);
    return answer.ok ? answer.body : undefined;
  };
  /** Shows it from there on. `isSure`: what it would ask first was asked here, with the same figures. */
  const begin = async (body: Record<string, unknown>, isSure = false): Promise<void> => {
    const begun = await run(body);
    if (!begun) return;
    if (isSure) void answerFirst(begun.id);
    go('replay', { id: begun.id });
  };
  return { error, not: isBusy ? 'under way' : undefined, run, begin };
}
