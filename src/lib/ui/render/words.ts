import type { Change, Finding, Origin, Override, ShownPlan } from '../../model/plan.ts';
import type { ResourceKind, Role, Target } from '../../model/resource.ts';
import { isLine } from '../../model/shell.ts';
import { clean } from '../sanitize.ts';
import { flow } from '../text.ts';
import type { Theme } from '../theme.ts';

/** The next step: an arrow leads to a line to type, which is there to be copied and never broken; advice is flowed. */
export const nextLine = (
  next: string,
  { theme, width, indent }: { readonly theme: Theme; readonly width: number; readonly indent: number },
): string =>
  isLine(next) ? `${' '.repeat(indent)}${theme.faint('→')} ${next}` : flow(next, { width, first: ' '.repeat(indent) });

const ROLES: Readonly<Record<Role, string>> = {
  queue: 'queue',
  worker: 'worker',
  dlq: 'dead letters',
  responses: 'responses',
  other: '',
};

/** `stream REQUESTS (queue)`: safe to print. */
export function resourceName({ kind, name, role }: { kind: ResourceKind; name: string; role?: Role }): string {
  const word = role ? ROLES[role] : '';
  return `${kind} ${clean(name)}${word ? ` (${word})` : ''}`;
}

const ORIGINS: Readonly<Record<Origin, string>> = {
  spec: 'the spec changed',
  server: 'somebody changed the server',
  both: 'the spec changed, and somebody changed the server',
  unknown: '',
};

/** Who made a difference, in words; empty where that is not known or goes without saying. */
export function originWords(change: Pick<Change, 'action' | 'origin'>): string {
  if (change.action === 'create') return change.origin === 'server' ? 'somebody deleted it on the server' : '';
  if (change.action === 'delete') return change.origin === 'spec' ? 'no longer in the spec' : '';
  return ORIGINS[change.origin];
}

export const fieldOrigin = (origin: Origin): string => ORIGINS[origin];

/** `server dev-1 2.15.1, cluster C1, account OSAPI`: safe to print. */
export function serverOf({ server, account }: Target): string {
  const cluster = server.cluster ? `, cluster ${clean(server.cluster)}` : '';
  const domain = server.domain ? `, domain ${clean(server.domain)}` : '';
  // A server without a name of its own is named by its id, which tells a person nothing.
  const name = server.name === server.id ? '' : `${clean(server.name)} `;
  return `server ${name}${clean(server.version)}${cluster}${domain}, account ${clean(account)}`;
}

/** `4 to create, 1 to update, 0 to delete, 2 unchanged`; moves and replacements are named where there are any. */
export function summaryOf({ summary, changes }: Pick<ShownPlan, 'summary' | 'changes'>): string {
  const moved = changes.filter(({ action }) => action === 'migrate').length;
  const replaced = summary.replace - moved;
  return [
    `${summary.create} to create`,
    `${summary.update} to update`,
    ...(moved > 0 ? [`${moved} to migrate`] : []),
    ...(replaced > 0 ? [`${replaced} to replace`] : []),
    `${summary.delete} to delete`,
    `${summary.unchanged} unchanged`,
  ].join(', ');
}

/** How to undo a change, where a reader does not see it anyway: an update shows the old values, a creation is a deletion. */
export const wayBackOf = ({ action, reverse }: Change): string =>
  action === 'replace' || action === 'delete' ? (reverse ?? '') : '';

const SEVERITIES = { info: 'Note', warning: 'Warning', refuse: 'Refused' } as const;

/** Flags that were given, by which a refusal is lifted. */
export type Given = ReadonlySet<Override>;

export const isLifted = ({ severity, needs }: Finding, given: Given | undefined): boolean =>
  severity === 'refuse' && needs !== undefined && given?.has(needs) === true;

/**
 * `Warning`, or `Refused without --allow-replace`: the word before a finding, with the flag that lifts it, or has; before
 * what comes true only where another flag is not given, that one.
 */
export function verdictOf(finding: Finding, given?: Given): string {
  const { severity, needs, unless } = finding;
  if (unless) return `Without --${unless}${needs ? `, by --${needs}` : ''}`;
  if (!needs || severity !== 'refuse') return SEVERITIES[severity];
  return isLifted(finding, given) ? `Allowed by --${needs}` : `${SEVERITIES.refuse} without --${needs}`;
}

/** A finding's message where its resource is named above it already. */
export const messageUnder = ({ message, resource }: Finding): string =>
  message.startsWith(resource) ? message.slice(resource.length).replace(/^:? /, '') : message;

/** The time line of a failing request, where a consumer's is new or changes. */
export const retriesOf = ({ retries }: Change): string | undefined => retries && `Retries: ${retries}.`;

/** Why a change is what it is; nothing where its fields say it. */
export const reasonOf = ({ reason, fields }: Change): string | undefined =>
  fields.some(({ note }) => note !== undefined && reason?.includes(note)) ? undefined : reason;
