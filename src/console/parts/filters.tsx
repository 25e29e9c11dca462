import { useId, useRef, useState } from 'preact/hooks';
import { count } from '../format.ts';
import { FILTERS, filtersOf, parseTypedAll, withFilter, withoutFilter } from '../route.ts';
import { go, route } from '../state.ts';
import type { Suggestion } from '../wire.ts';
import { Glyph, shown } from './basics.tsx';

interface Offer {
  /** What is put into the field, or taken as it is where it is whole. */
  readonly text: string;
  readonly note: string;
  readonly whole: boolean;
}

const HINTS: Readonly<Record<string, string>> = {
  queue: 'its stream',
  consumer: 'where it died',
  subject: '* and > work',
  since: '2h, 03:10, yesterday',
  until: 'as since',
  'older-than': '7d',
  reason: 'why',
  state: 'what can be done',
  where: 'KEY=VALUE, * is any text',
  match: 'text in the payload',
  'request-id': 'one request',
  limit: 'at most so many',
};
const isFlag = (key: string): boolean => FILTERS.includes(key);

/** Keys first, then the values that are there, with how many of each. */
function offersFor(typed: string, suggest: readonly Suggestion[]): Offer[] {
  const [, key, part = ''] =
    /^([a-z-]+):(.*)$/s.exec(typed) ?? /^((?:header|json):[^=]+|detail)=(.*)$/s.exec(typed) ?? [];
  const low = (key === undefined ? typed : part).toLowerCase();
  const values = suggest.find((one) => one.key === key);
  if (values) {
    return values.values
      .filter(({ value }) => value.toLowerCase().includes(low))
      .map(({ value, count: n, where }) => ({
        text: isFlag(key!) ? `${key}:${value}` : where,
        note: count(n),
        whole: true,
      }));
  }
  if (key !== undefined && isFlag(key)) return [];
  const others = suggest
    .filter((one) => !isFlag(one.key))
    .map(({ key: text, values: all }) => ({ text: `${text}=`, note: `${all.length} values`, whole: false }));
  const flags = FILTERS.map((text) => ({ text: `${text}:`, note: HINTS[text]!, whole: false }));
  return [...flags, ...others].filter(({ text }) => text.toLowerCase().includes(low)).slice(0, 20);
}

/** The filters as the CLI has them, each to be taken out; and a field for more, with what there is. */
export function FilterBar({ suggest }: { suggest: readonly Suggestion[] }) {
  const [typed, setTyped] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const { query } = route.value;
  const chips = [...filtersOf(query)];
  const offers = isOpen ? offersFor(typed, suggest) : [];
  const take = (text: string) => {
    const filters = parseTypedAll(text);
    if (filters.length === 0) return;
    setTyped('');
    setAt(-1);
    setOpen(false);
    go('dead', { query: filters.reduce((all, { key, value }) => withFilter(all, key, value), query) });
  };
  const choose = ({ text, whole }: Offer) => {
    if (whole) take(text);
    else setTyped(text);
    setAt(-1);
    field.current?.focus();
  };
  return (
    <search class="filters">
      {chips.map(([key, value]) => (
        <span key={`${key} ${value}`} class="chip">
          <span>
            {key}:<b>{shown(value)}</b>
          </span>
          <button
            type="button"
            class="quiet"
            aria-label={`remove the filter ${key} ${value}`}
            onClick={() => go('dead', { query: withoutFilter(query, key, value) })}
          >
            <Glyph name="close" />
          </button>
        </span>
      ))}
      <span class="filter-field">
        <input
          ref={field}
          id="filter"
          role="combobox"
          aria-label="add a filter"
          aria-expanded={offers.length > 0}
          aria-controls={id}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          placeholder={
            chips.length === 0 ? 'filter: queue:REQUESTS, since:1h, detail=timeout*, or text of the payload' : 'more'
          }
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onInput={({ currentTarget }) => {
            setTyped(currentTarget.value);
            setAt(-1);
            setOpen(true);
          }}
          onKeyDown={(event) => {
            const { key } = event;
            if (key === 'ArrowDown' || key === 'ArrowUp') {
              event.preventDefault();
              setOpen(true);
              setAt(Math.max(-1, Math.min(offers.length - 1, at + (key === 'ArrowDown' ? 1 : -1))));
            } else if (key === 'Enter') {
              const offer = offers[at];
              if (offer) choose(offer);
              else take(typed);
            } else if (key === 'Escape' && (isOpen || typed !== '')) {
              event.stopPropagation();
              setOpen(false);
              setTyped('');
            } else if (key === 'Backspace' && typed === '') {
              const last = chips.at(-1);
              if (last) go('dead', { query: withoutFilter(query, ...last) });
            }
          }}
        />
        {offers.length > 0 && (
          <div class="offers" id={id} role="listbox" aria-label="filters there are">
            {offers.map((offer, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's
              <div
                key={offer.text}
                id={`${id}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === at}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => choose(offer)}
              >
                <code>{shown(offer.text)}</code>
                <span class="muted">{offer.note}</span>
              </div>
            ))}
          </div>
        )}
      </span>
    </search>
  );
}
