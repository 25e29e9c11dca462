// Somebody at a shell, with the nats CLI and osapi-ops: what is done here can be typed, and is noted as it would be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { type CliResult, startCli } from '../support/cli.ts';
import { startWarm, type Warm } from '../support/warm.ts';
import type { Waves, Wire } from '../support/waves.ts';
import { startGate } from './killed-after.ts';

export const quote = (word: string): string =>
  /^[\w@%+=:,./$-]+$/.test(word) && !word.includes('$')
    ? word
    : /[\u0000-\u001f\u007f']/.test(word)
      ? `$'${word.replace(/[\\']/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`
      : `'${word}'`;

const line = (...words: readonly string[]): string => words.map(quote).join(' ');

/** With the machine to itself a command takes a tenth of this, in milliseconds: only what hangs comes near. */
export const SLOW_MS = 5000;
/** Lines that only look run so many at once. */
const AT_ONCE = 3;
/** The exit code of who got no answer in time. */
const UNAVAILABLE = 69;
/** `--version` takes half of this. */
const IDLE_MS = 150;

export interface Said extends CliResult {
  readonly line: string;
  readonly ms: number;
}

/** A server of a world, by the variable that names it in what is typed. */
export interface Place {
  readonly nc: NatsConnection;
  readonly url: string;
  readonly variable: 'FIRST_URL' | 'SECOND_URL';
  /** The same server, seen from far away. */
  readonly far?: Waves;
}

/** What was typed so far, and for which server the last of it was. */
export interface Typed {
  readonly lines: string[];
  at: string;
}

/**
 * A busy machine lets time run out: only there who got no answer in time asks again. What hangs, hangs again, and for
 * longer than the machine is slow. `slowness` is how many times as long the machine takes, right now.
 */
export async function patiently<T extends Pick<Said, 'ms' | 'code'>>(
  run: () => Promise<T>,
  slowness: () => Promise<number>,
): Promise<{ readonly said: T; readonly again: number }> {
  let said = await run();
  let again = 0;
  while (again < 3 && (said.ms > SLOW_MS || said.code === UNAVAILABLE)) {
    const times = await slowness();
    if (times === 1) break;
    again += 1;
    const next = await run();
    said = { ...next, ms: next.ms / times };
  }
  return { said, again };
}

export class Person {
  readonly #nc: NatsConnection;
  readonly #place: Place;
  readonly #env: Readonly<Record<string, string>>;
  readonly #typed: Typed;
  /** What is not killed runs in these: starting a process for each line took most of the time. */
  readonly #warm: readonly Warm[] = Array.from({ length: AT_ONCE }, () => startWarm());
  readonly dir: string;
  /** How often a busy machine was forgiven. */
  askedAgain = 0;

  /** `env` names the servers of the world. */
  constructor(place: Place, dir: string, env: Readonly<Record<string, string>>, typed: Typed = { lines: [], at: '' }) {
    this.#nc = place.nc;
    this.#place = place;
    this.#env = env;
    this.#typed = typed;
    this.dir = dir;
  }

  get typed(): Typed {
    return this.#typed;
  }

  get lines(): readonly string[] {
    return this.#typed.lines;
  }

  /** The server, as a spec names it. */
  get server(): string {
    return `\${${this.#place.variable}}`;
  }

  note(text: string): void {
    const { variable } = this.#place;
    if (this.#typed.at !== variable) this.#typed.lines.push(`export NATS_URL=$${variable}`);
    this.#typed.at = variable;
    this.#typed.lines.push(text);
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
    this.note(`cat > ${name} <<'END'\n${text.trimEnd()}\nEND`);
  }

  /** Runs osapi-ops without noting it: for what only looks. */
  async look(args: readonly string[]): Promise<Said> {
    return this.#patiently(() => this.#run(args));
  }

  async #patiently(run: () => Promise<Said>): Promise<Said> {
    const { said, again } = await patiently(run, () => this.#slowness());
    this.askedAgain += again;
    return said;
  }

  /** How many times as long the machine takes, right now, for what asks no server. */
  async #slowness(): Promise<number> {
    const began = performance.now();
    await startCli(['--version'], { cwd: this.dir, env: this.#env }).done;
    return Math.max(1, (performance.now() - began) / IDLE_MS);
  }

  async #run(args: readonly string[], server: { readonly url: string } | null = this.#place): Promise<Said> {
    const began = performance.now();
    const [idlest] = [...this.#warm].sort((a, b) => a.left() - b.left());
    const said = await idlest!(args, { ...(server && { server }), cwd: this.dir, env: this.#env });
    return { ...said, line: line('osapi-ops', ...args), ms: performance.now() - began };
  }

  close(): void {
    for (const one of this.#warm) one.close();
  }

  /** Runs osapi-ops from far away, where that can be: what it said, and what went over the wire. */
  async lookFromFar(args: readonly string[]): Promise<(Wire & { readonly said: Said }) | undefined> {
    const { far } = this.#place;
    if (!far) return undefined;
    const began = performance.now();
    const process = startCli(args, { server: far, cwd: this.dir, env: this.#env });
    far.watch(process.pid);
    const said = await process.done;
    return { ...far.take(), said: { ...said, line: line('osapi-ops', ...args), ms: performance.now() - began } };
  }

  /** Runs osapi-ops against no server but those that its specs name. */
  async lookAtAll(args: readonly string[]): Promise<Said> {
    return this.#patiently(async () => {
      const said = await this.#run(args, null);
      return { ...said, line: line('env', '-u', 'NATS_URL', 'osapi-ops', ...args) };
    });
  }

  /** Runs osapi-ops; with `killAfter` it is ended (kill -9) right after it wrote so often. */
  async ops(args: readonly string[], killAfter?: number): Promise<Said> {
    const typed = line('osapi-ops', ...args);
    this.note(killAfter === undefined ? typed : `killed-after ${killAfter} ${typed}`);
    const said = await (killAfter === undefined ? this.#run(args) : this.#runKilled(args, killAfter));
    return said.ms > SLOW_MS ? { ...said, ms: said.ms / (await this.#slowness()) } : said;
  }

  async #runKilled(args: readonly string[], killAfter: number): Promise<Said> {
    const began = performance.now();
    const gate = await startGate(this.#place.url, killAfter, () => process.child.kill('SIGKILL'));
    const process = startCli(args, { server: gate, cwd: this.dir, env: this.#env });
    const said = await process.done;
    gate.close();
    return { ...said, line: line('osapi-ops', ...args), ms: performance.now() - began };
  }

  /** A request to the JetStream API. @throws Error where the server refuses */
  async api(subject: string, body: object = {}): Promise<Record<string, unknown>> {
    const text = JSON.stringify(body);
    this.note(line('nats', 'request', '--raw', `$JS.API.${subject}`, text));
    const answer = (await this.#nc.request(`$JS.API.${subject}`, text, { timeout: 10_000 })).json<
      Record<string, unknown>
    >();
    if (answer.error) throw new Refused(`${subject}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  /** Publishes, and tells whether a stream took it as something new. */
  async publish(
    subject: string,
    payload: string | Uint8Array,
    head: Readonly<Record<string, string>> = {},
  ): Promise<boolean> {
    const named = headers();
    for (const [name, value] of Object.entries(head)) named.append(name, value);
    const words = Object.entries(head).flatMap(([name, value]) => ['-H', `${name}:${value}`]);
    const text = Buffer.from(payload).toString();
    this.note(
      /^x{500,}$/.test(text)
        ? `head -c ${text.length} /dev/zero | tr '\\0' x | ${line('nats', 'request', ...words, subject)}`
        : line('nats', 'request', ...words, subject, text),
    );
    try {
      const answer = await this.#nc.request(subject, payload, { timeout: 5000, headers: named });
      const { error, duplicate, stream } = answer.json<{ error?: unknown; duplicate?: boolean; stream?: string }>();
      return error === undefined && !duplicate && stream !== undefined;
    } catch {
      return false;
    }
  }

  /** Asks for up to `count` messages, as one pull, and waits no longer than `waitMs` for them. */
  async pull(stream: string, consumer: string, count: number, waitMs: number): Promise<Msg[]> {
    const found: Msg[] = [];
    let isOver = () => {};
    const over = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    const inbox = createInbox();
    const sub = this.#nc.subscribe(inbox, {
      callback: (_error, message) => {
        if (message.headers?.code) isOver();
        else if (found.push(message) >= count) isOver();
      },
    });
    const body = JSON.stringify({ batch: count, expires: waitMs * 1e6 });
    this.#nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, { reply: inbox });
    await Promise.race([over, sleep(waitMs + 300)]);
    sub.unsubscribe();
    return found;
  }

  async settle(messages: readonly Msg[], word: string): Promise<void> {
    // The server confirms each, so that what follows sees it done; not what came too late, or to another leader.
    await Promise.allSettled(messages.map(({ reply }) => this.#nc.request(reply!, word, { timeout: 5000 })));
  }

  async put(bucket: string, key: string, value: string): Promise<boolean> {
    this.note(line('nats', 'kv', 'put', bucket, key, value));
    try {
      const answer = await this.#nc.request(`$KV.${bucket}.${key}`, value, { timeout: 5000 });
      return answer.json<{ error?: unknown }>().error === undefined;
    } catch {
      return false;
    }
  }
}

export class Refused extends Error {}
