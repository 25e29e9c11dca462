import { OpsError } from '../errors/ops-error.ts';
import { isStreamName } from '../facts/tokens.ts';
import type { Nats } from '../nats/connect.ts';

type Kind = 'queue' | 'consumer' | 'bucket';

const NONE: Readonly<Record<Kind, { readonly message: string; readonly why: string; readonly hint: string }>> = {
  queue: {
    message: 'there is no queue on this server',
    why: 'No stream there is a work queue, and none captures the advisories of dead messages.',
    hint: 'make a queue with `osapi-ops apply SPEC`',
  },
  consumer: {
    message: 'there is no consumer',
    why: 'Workers take the messages of a queue through one.',
    hint: '`osapi-ops apply SPEC` makes one',
  },
  bucket: {
    message: 'there is no bucket for the responses',
    why: 'Neither a spec nor the server has one.',
    hint: '`osapi-ops apply SPEC` makes one, as does `nats kv add responses`',
  },
};

export const whereOf = ({ target }: Nats, queue?: string): string =>
  `${queue === undefined ? '' : `queue ${queue}, `}${target.url}, account ${target.account} (chosen by ${target.chosenBy})`;

/** What is said where there is none. */
export function none(nats: Nats, kind: Kind, queue?: string): OpsError {
  const { message, why, hint } = NONE[kind];
  const hints = [
    hint,
    kind === 'queue' ? 'check that this is the right server and account' : `or name one with --${kind}`,
  ];
  return new OpsError('NOT_FOUND', message, { where: whereOf(nats, queue), why, hints });
}

const LISTED = 20;

/** What is said where there are several and none was named. */
export function several(nats: Nats, kind: Kind, names: readonly string[], queue?: string): OpsError {
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return new OpsError('USAGE', `there are several ${kind}s: ${names.slice(0, LISTED).join(', ')}${more}`, {
    where: whereOf(nats, queue),
    why: 'None of them was named, and nothing here guesses between several.',
    hints: [kind === 'queue' ? 'name one, as argument or with --queue' : `name one with --${kind}`],
  });
}

/** The only one there is. @throws OpsError USAGE where there are several, NOT_FOUND where there is none */
export function theOnly(nats: Nats, kind: Kind, names: readonly string[], queue?: string): string {
  if (names.length > 1) throw several(nats, kind, names, queue);
  if (names.length === 0) throw none(nats, kind, queue);
  return names[0]!;
}

/** Refuses what can be no name before a server is asked for it. @throws OpsError USAGE */
export function requireName(kind: Kind, name: string): string {
  const isName = kind === 'bucket' ? /^[-_a-zA-Z0-9]+$/.test(name) : isStreamName(name);
  if (isName) return name;
  throw new OpsError('USAGE', `--${kind}: ${JSON.stringify(name)} cannot be the name of a ${kind}`, {
    where: `--${kind}`,
    hints: [`a ${kind}’s name has ${kind === 'bucket' ? 'letters, digits, - and _' : 'no blanks, no . and no * or >'}`],
  });
}
