// A key does what its button may: it presses it. Pure but for the page that it is given.

interface Pressed {
  getAttribute(name: string): string | null;
  click(): void;
  focus(): void;
}

/** Presses the button that has a key; one that is greyed gets the focus instead, which shows why. False where there is none. */
export function press(key: string, buttons: Iterable<Pressed>): boolean {
  for (const button of buttons) {
    if (button.getAttribute('aria-keyshortcuts') !== key) continue;
    if (button.getAttribute('aria-disabled') === 'true') button.focus();
    else button.click();
    return true;
  }
  return false;
}
