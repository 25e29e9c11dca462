// Small things that every page is made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { escapeOf, TRICKY } from '../../lib/model/visible.ts';
import { duration, full } from '../format.ts';
import { clockOf, copy, now, shortClockOf, wholeClockOf, whyNot } from '../state.ts';
import type { Action, Health, Note, WireError } from '../wire.ts';

/** Text from anywhere, as it is shown: what moves, hides or turns text is an escape. Lines stay where they are wanted. */
export const shown = (text: string, lines = false): string =>
  text.replace(TRICKY, (one) => (one === '\n' && lines ? one : one === '\t' ? ' ' : escapeOf(one)));

const PATHS = {
  ok: 'M2 6.5 4.8 9.5 10 3',
  critical: 'm2.5 2.5 7 7m0-7-7 7',
  warn: 'M6 1.5 11 10.5H1Z',
  unknown: 'M3.8 4.2a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M6 10v.1',
  waiting: 'M6 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6Z',
  flight: 'M2 2.5 10.5 6 2 9.5 4 6Z',
  retrying: 'M6 1.5 11 10.5H1Z',
  dead: 'm2.5 2.5 7 7m0-7-7 7',
  parked: 'M6 1 11 6 6 11 1 6Z',
  orphan: 'M6 1 11 6 6 11 1 6Z',
  paused: 'M4 2.5v7M8 2.5v7',
  gone: 'M3 6h6',
  live: 'M6 3.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z',
  menu: 'M1.5 3h9m-9 3h9m-9 3h9',
  copy: 'M4 4h6.5v6.5H4ZM2 8H1.5V1.5H8V2',
  help: 'M3.8 4.2a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M6 10v.1',
  close: 'm2.5 2.5 7 7m0-7-7 7',
  note: 'M6 5v4.8M6 2.2v.1',
  folded: 'm4 2 4 4-4 4',
  unfolded: 'm2 4 4 4 4-4',
} as const;
export type GlyphName = keyof typeof PATHS;
const FILLED = new Set<GlyphName>(['warn', 'flight', 'retrying', 'parked', 'live']);

/** A sign beside a word that says the same. */
export function Glyph({ name }: { name: GlyphName }) {
  return (
    <svg class={`glyph ${FILLED.has(name) ? 'filled' : ''}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

const HEALTH_WORD: Readonly<Record<Health, string>> = {
  ok: 'ok',
  warn: 'warning',
  critical: 'critical',
  unknown: 'unknown',
};

export function HealthWord({ health, short = false }: { health: Health; short?: boolean }) {
  return (
    <span class={`health ${health}`}>
      <Glyph name={health} />
      <span class={short ? 'unseen' : undefined}>{HEALTH_WORD[health]}</span>
    </span>
  );
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onPress: () => void;
  readonly kind?: 'plain' | 'main' | 'danger' | 'quiet';
  /** Why it cannot be pressed; it can be reached, so that everybody learns why. */
  readonly not?: string | undefined;
  readonly label?: string;
  readonly pressed?: boolean;
  readonly keys?: string;
}

export function Button({ children, onPress, kind = 'plain', not, label, pressed, keys }: ButtonProps) {
  const id = useId();
  return (
    <span class="button-box">
      <button
        type="button"
        class={kind}
        aria-label={label}
        aria-disabled={not !== undefined}
        aria-describedby={not === undefined ? undefined : id}
        aria-pressed={pressed}
        aria-keyshortcuts={keys}
        onClick={() => not === undefined && onPress()}
      >
        {children}
      </button>
      {not !== undefined && (
        <span id={id} class="why" role="note">
          {not}
        </span>
      )}
    </span>
  );
}

/** A button for what writes: grey with its reason where this user, or this console, may not. */
export const Act = ({ may, not, ...rest }: ButtonProps & { may: Action }) => (
  <Button {...rest} not={whyNot(may) ?? not} />
);

/** A time as a clock here, short where there is little room; all there is to say of it on hover and to who cannot see. */
export function Clock({ at, isShort = false }: { at: string | null | undefined; isShort?: boolean }) {
  if (at === null || at === undefined) return <span class="muted">unknown</span>;
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return <span>{shown(at)}</span>;
  return (
    <time dateTime={at} title={wholeClockOf(ms)}>
      {isShort ? shortClockOf(ms) : clockOf(ms)}
    </time>
  );
}

/** How long ago, ticking in a place of its own width. */
export const Ago = ({ at }: { at: string }) => (
  <span class="ago" title={wholeClockOf(Date.parse(at))}>
    {duration(Math.max(0, (now.value - Date.parse(at)) / 1000))}
  </span>
);

/** A figure in few digits, with all of them for who looks closer. */
export const Figure = ({ n, text }: { n: number | null | undefined; text: string }) =>
  n === null || n === undefined ? (
    <span class="muted">unknown</span>
  ) : (
    <data class="n" value={n} title={full(n) === text ? undefined : full(n)}>
      {text}
    </data>
  );

/** The line to type instead, to copy. */
export function LineToType({ text, label = 'the command line' }: { text: string; label?: string }) {
  return (
    <span class="line">
      <code>
        {shown(text)
          .split(' ')
          .map((word, index) => [index > 0 && ' ', <span key={index}>{word}</span>])}
      </code>
      <Button kind="quiet" label={`copy ${label}`} onPress={() => void copy(text, label)}>
        <Glyph name="copy" />
        copy
      </Button>
    </span>
  );
}

/** What something refused says, with what to do. */
export function Refusal({ error, heading = 'h2' }: { error: WireError; heading?: 'h2' | 'h3' }) {
  const Heading = heading;
  const hints = error.hints ?? (error.hint === undefined ? [] : [error.hint]);
  return (
    <section class="refusal" role="alert">
      <Heading>
        <Glyph name="critical" /> {shown(error.message)}
      </Heading>
      {error.where !== undefined && <p class="muted">at {shown(error.where)}</p>}
      {error.why !== undefined && <p>{shown(error.why, true)}</p>}
      {hints.map((hint) => (
        <p key={hint}>Try: {shown(hint)}</p>
      ))}
      <p class="muted">
        Code: <code>{shown(error.code)}</code>
      </p>
    </section>
  );
}

export const Notes = ({ notes }: { notes: readonly Note[] | undefined }) =>
  notes === undefined || notes.length === 0 ? null : (
    <ul class="notes">
      {notes.map(({ type, text }, index) => (
        <li key={index} class={type}>
          <Glyph name={type === 'warning' ? 'warn' : 'note'} />
          <span>{shown(text)}</span>
        </li>
      ))}
    </ul>
  );

/** Words for what is not there yet: nothing for a moment, then that it is looked for, then that it takes long. */
export function Waiting({ since, what }: { since: number | undefined; what: string }) {
  const [age, setAge] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setAge(Date.now() - (since ?? Date.now())), 250);
    return () => clearInterval(timer);
  }, [since]);
  return (
    <p class="waiting" role="status">
      {age < 250
        ? ''
        : age < 4000
          ? `looking at ${what} …`
          : `still looking at ${what}, for ${duration(age / 1000)}; the server is slow, or there is much of it`}
    </p>
  );
}

interface FootProps {
  /** What leaves everything as it is. */
  readonly no: string;
  readonly onNo: () => void;
  /** Why what was asked for was refused. */
  readonly error?: WireError | undefined;
  /** The line that does the same. */
  readonly line?: string | undefined;
  /** Somebody types first: the focus is there, and not on `no`. */
  readonly types?: boolean;
  readonly children: ComponentChildren;
}

/** The foot of a dialog that asks: the way out, then what is done. */
export const Foot = ({ no, onNo, error, line, types = false, children }: FootProps) => (
  <>
    {line !== undefined && <LineToType text={line} />}
    {error && <Refusal error={error} heading="h3" />}
    <footer>
      <button type="button" autofocus={!types} onClick={onNo}>
        {no}
      </button>
      {children}
    </footer>
  </>
);

interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  readonly wide?: boolean;
}

/** A dialog of the browser: it holds the focus, Escape closes it, and gives the focus back. */
export function Dialog({ title, children, onClose, wide = false }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? 'wide' : undefined} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" label="close" onPress={onClose}>
          <Glyph name="close" />
        </Button>
      </header>
      {children}
    </dialog>
  );
}
