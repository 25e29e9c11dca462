import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Entries } from '../entries.ts';
import { full } from '../format.ts';
import type { Selection } from '../selection.ts';
import type { EntryJson } from '../wire.ts';
import { Clock, shown } from './basics.tsx';
import { StateWord } from './entry.tsx';
import { Cell, VirtualRows } from './virtual-rows.tsx';

interface RowsProps {
  readonly entries: Entries;
  readonly selection: Selection;
  /** The entry that is open. */
  readonly id: string | undefined;
  readonly total: number | undefined;
}

export function LetterRows({ entries, selection, id, total }: RowsProps) {
  const isNarrow = useNarrow();
  const isChosen = (index: number) => selection.ids.has(entries.at(index)?.id ?? '');
  return (
    <VirtualRows
      count={Math.max(entries.count, 0)}
      rowHeight={isNarrow ? 56 : 32}
      label={`dead letters, ${total === undefined ? '' : `${full(total)}, `}the newest first`}
      active={selection.active}
      selected={isChosen}
      onNeed={entries.need}
      onPress={selection.open}
      onKey={(event) => void selection.onKey(event)}
      rowOf={(index) => (
        <Row
          entry={entries.at(index)}
          index={index}
          isChosen={isChosen(index)}
          isOpen={entries.at(index)?.id === id}
          onToggle={selection.toggle}
        />
      )}
    />
  );
}

function useNarrow(): boolean {
  const narrow = useMemo(() => matchMedia('(max-width: 719px)'), []);
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const change = () => setNarrow(narrow.matches);
    narrow.addEventListener('change', change);
    return () => narrow.removeEventListener('change', change);
  }, []);
  return isNarrow;
}

function Row({
  entry,
  index,
  isChosen,
  isOpen,
  onToggle,
}: {
  entry: EntryJson | undefined;
  index: number;
  isChosen: boolean;
  isOpen: boolean;
  onToggle: (index: number, isRange: boolean) => void;
}) {
  if (entry === undefined) return <Cell class="muted">…</Cell>;
  return (
    <>
      <Cell class="tick">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label={`choose ${entry.id}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle(index, event.shiftKey);
          }}
        />
      </Cell>
      <Cell class="time" aria-current={isOpen ? 'true' : undefined}>
        <Clock at={entry.died_at} isShort />
      </Cell>
      <Cell class="why-died">{shown(entry.detail ?? entry.reason)}</Cell>
      <Cell class="subject">{shown(entry.subject ?? '')}</Cell>
      <Cell class="rid">{shown(entry.request_id ?? `${entry.consumer}/${entry.seq}`)}</Cell>
      <Cell class="tries end">{entry.deliveries === null ? '?' : `${entry.deliveries}×`}</Cell>
      <Cell class="state-cell">
        <StateWord state={entry.state} />
      </Cell>
    </>
  );
}
