import type { DemoReport, DemoStep } from '../../model/demo.ts';
import type { Theme } from '../theme.ts';

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line ? `     ${line}` : ''))
    .join('\n');

export const renderDemoStart = ({ version, url }: DemoReport['server'], theme: Theme): string =>
  `\n${theme.strong(' 1. A real nats-server comes up')}\n\n${indented(`nats-server ${version} with JetStream, at ${url}`)}\n`;

/** A step of the tour: number and title, the command as typed, what it said, what that shows. */
export function renderDemoStep(step: DemoStep, number: number, theme: Theme): string {
  return [
    '',
    theme.strong(`${String(number).padStart(2)}. ${step.title}`),
    '',
    ...(step.command ? [`   ${theme.faint('$')} ${step.command}`] : []),
    indented(step.output),
    '',
    `   ${theme.faint(`→ ${step.shows}`)}`,
    '',
  ].join('\n');
}

export const renderDemoEnd = (theme: Theme): string =>
  [
    '',
    theme.strong('Done. The server is stopped, and nothing of it is left.'),
    '',
    'On from here:',
    '  osapi-ops dev --detach --context      a server to keep, and a nats context for it',
    '  osapi-ops init                        a spec of your own',
    '  osapi-ops --help                      all commands',
    '',
  ].join('\n');
