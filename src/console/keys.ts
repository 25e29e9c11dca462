// Single keys, which can be switched off (WCAG 2.1.4). None acts by itself: what writes opens a dialog.
import { signal } from '@preact/signals';
import { press } from './press.ts';
import type { PageName } from './route.ts';
import { command, copy, go, paused } from './state.ts';

const OFF = 'osapi-ops-keys-off';
export const keysOn = signal(localStorage.getItem(OFF) === null);
export const helpOpen = signal(false);
/** What the page that is shown does with a key; true where it took it. */
export const shortcuts: { current: (event: KeyboardEvent) => boolean } = { current: () => false };

export function switchKeys(on: boolean): void {
  keysOn.value = on;
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, '1');
}

const GO: Readonly<Record<string, PageName>> = {
  q: 'queues',
  d: 'dead',
  r: 'replay',
  i: 'request',
  p: 'plan',
  h: 'history',
};
let isGoing = false;
let goingUntil = 0;

export function onKey(event: KeyboardEvent): void {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const isTyping = target instanceof HTMLElement && target.matches('input:not([type=checkbox]), textarea, select');
  if (document.querySelector('dialog[open]')) return;
  if (key === 'Escape' && isTyping) target.blur();
  if (isTyping) return;
  if (key === 'Escape') {
    shortcuts.current(event);
    return;
  }
  if (!keysOn.value) return;
  if (isGoing && event.timeStamp < goingUntil) {
    isGoing = false;
    const page = GO[key];
    if (page) go(page);
    event.preventDefault();
    return;
  }
  isGoing = key === 'g';
  goingUntil = event.timeStamp + 1500;
  if (isGoing) return;
  // A button that has the focus keeps its own keys.
  if (target instanceof HTMLButtonElement && (key === 'Enter' || key === ' ')) return;
  if (key === '?') helpOpen.value = true;
  else if (key === '.') paused.value = !paused.value;
  else if (key === '/') document.getElementById('filter')?.focus();
  else if (key === 'y') void copy(command.value?.text ?? '', 'the command line');
  else if (key === 'l') void copy(location.href, 'the link to this view');
  else if (key === 'c')
    void copy(
      new URLSearchParams(location.hash.split('?')[1] ?? '').get('id') ?? location.hash.split('/')[2] ?? '',
      'the id',
    );
  else if (
    !shortcuts.current(event) &&
    !press(key, document.querySelectorAll<HTMLButtonElement>('button[aria-keyshortcuts]'))
  )
    return;
  event.preventDefault();
}

export const KEYS: readonly (readonly [string, string])[] = [
  ['g then q d r i p h', 'Queues, Dead letters, Replay, Request, Plan, History'],
  ['/', 'filter'],
  ['Esc', 'close, clear, back'],
  ['.', 'pause updates, go on'],
  ['j k, arrows', 'next and previous row'],
  ['Enter', 'open'],
  ['[ ]', 'previous and next entry'],
  ['x, Shift+x', 'choose, choose a range'],
  ['a', 'all that match'],
  ['r e p s', 'replay, edit, purge, stop: each asks first'],
  ['y c l', 'copy the command line, the id, the link to this view'],
  ['?', 'this help'],
];
