// Which rows of a list are ticked, and at which the keys are.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Entries } from './entries.ts';

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** The row that the keys are at; -1 for none. */
  readonly active: number;
  clear(): void;
  /** `isRange`: all from the one that was ticked last. */
  toggle(index: number, isRange: boolean): void;
  open(index: number): void;
  /** So many rows on; where an entry is open, the next is opened. */
  step(by: number): void;
  /** Whether the key was for it. */
  onKey(event: KeyboardEvent): boolean;
}

/** Ticks are about what is looked at: another `question` has none. */
export function useSelection(
  entries: Entries,
  question: string,
  { isOpen, onOpen }: { readonly isOpen: boolean; readonly onOpen: (id: string) => void },
): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState(-1);
  const anchor = useRef(-1);
  const clear = () => setIds(new Set());
  useEffect(() => {
    clear();
    setActive(-1);
  }, [question]);
  const open = (index: number) => {
    const entry = entries.at(index);
    if (!entry) return;
    setActive(index);
    onOpen(entry.id);
  };
  const toggle = (index: number, isRange: boolean) => {
    const next = new Set(ids);
    const from = isRange && anchor.current >= 0 ? Math.min(anchor.current, index) : index;
    const to = isRange && anchor.current >= 0 ? Math.max(anchor.current, index) : index;
    for (let at = from; at <= to; at += 1) {
      const one = entries.at(at)?.id;
      if (one === undefined) continue;
      if (!isRange && next.has(one)) next.delete(one);
      else next.add(one);
    }
    anchor.current = index;
    setIds(next);
  };
  const goTo = (to: number) => {
    const index = Math.max(0, Math.min(entries.count - 1, to));
    setActive(index);
    if (isOpen) open(index);
  };
  const step = (by: number) => goTo(active + by);
  const onKey = (event: KeyboardEvent) => {
    const { key } = event;
    if (key === 'ArrowDown' || key === 'j') step(1);
    else if (key === 'ArrowUp' || key === 'k') step(-1);
    else if (key === 'PageDown') step(10);
    else if (key === 'PageUp') step(-10);
    else if (key === 'Home') goTo(0);
    else if (key === 'Enter' && active >= 0) open(active);
    else if ((key === 'x' || key === 'X' || key === ' ') && active >= 0) toggle(active, event.shiftKey);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { ids, active, clear, toggle, open, step, onKey };
}
