// The page of `osapi-ops console`: a program of its own, which knows only what the console's process answers.
import { render } from 'preact';
import { App } from './app.tsx';
import { onKey } from './keys.ts';
import { start } from './state.ts';

document.addEventListener('keydown', onKey);
void start();
render(<App />, document.getElementById('page')!);
