import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';

/** A cell of a row. */
export const Cell = ({
  children,
  ...rest
}: {
  class: string;
  children: ComponentChildren;
  'aria-current'?: 'true';
}) => (
  <span role="gridcell" {...rest}>
    {children}
  </span>
);

interface Props {
  readonly count: number;
  readonly rowHeight: number;
  readonly label: string;
  /** The row that the keys are at. */
  readonly active: number;
  readonly rowOf: (index: number) => ComponentChildren;
  readonly selected: (index: number) => boolean;
  readonly onNeed: (first: number, last: number) => void;
  readonly onPress: (index: number) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

/** A grid of as many rows as there may be: only those in view are made. */
export function VirtualRows(props: Props) {
  const { count, rowHeight, label, active, rowOf, selected, onNeed, onPress, onKey } = props;
  const box = useRef<HTMLDivElement>(null);
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const options = {
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(undefined as never),
  };
  const virtual = useRef<Virtualizer<HTMLDivElement, HTMLDivElement>>(undefined);
  virtual.current ??= new Virtualizer<HTMLDivElement, HTMLDivElement>(options);
  virtual.current.setOptions(options);
  useLayoutEffect(() => virtual.current!._didMount(), []);
  useLayoutEffect(() => virtual.current!._willUpdate());
  useLayoutEffect(() => virtual.current!.measure(), [rowHeight]);
  const items = virtual.current.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onNeed(first, last), [first, last, count]);
  useEffect(() => {
    if (active >= 0 && active < count) virtual.current!.scrollToIndex(active, { align: 'auto' });
  }, [active]);
  const id = (index: number) => `row-${index}`;
  return (
    <div
      class="rows"
      ref={box}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={count}
      aria-multiselectable="true"
      aria-activedescendant={items.some(({ index }) => index === active) ? id(active) : undefined}
      onKeyDown={onKey}
    >
      <div class="rows-in" role="rowgroup" style={{ height: `${virtual.current.getTotalSize()}px` }}>
        {items.map(({ index, start }) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the grid's
          <div
            key={index}
            id={id(index)}
            role="row"
            tabIndex={-1}
            aria-rowindex={index + 1}
            aria-selected={selected(index)}
            class={index === active ? 'row active' : 'row'}
            style={{ transform: `translateY(${start}px)`, height: `${rowHeight}px` }}
            onClick={() => onPress(index)}
          >
            {rowOf(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
