// Somebody at a shell, with the nats CLI and osapi-ops: what is done here can be typed, and is noted as it would be.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { type CliResult, startCli } from '../support/cli.ts';

export const quote = (word: string): string =>
  /^[\w@%+=:,./$-]+$/.test(word) && !word.includes('$')
    ? word
    : /[\u0000-\u001f\u007f']/.test(word)
      ? `$'${word.replace(/[\\']/g, '\\$&').replace(/[\u0000-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`
      : `'${word}'`;

const line = (...words: readonly string[]): string => words.map(quote).join(' ');

/** With the machine to itself a command takes a tenth of this, in milliseconds: only what hangs comes near. */
export const SLOW_MS = 5000;
/** `--version` takes half of this. */
const IDLE_MS = 150;

export interface Said extends CliResult {
  readonly line: string;
  readonly ms: number;
}

export class Person {
  readonly #nc: NatsConnection;
  readonly #url: string;
  readonly dir: string;
  /** What was typed so far. */
  readonly lines: string[] = [];

  constructor(nc: NatsConnection, url: string, dir: string) {
    this.#nc = nc;
    this.#url = url;
    this.dir = dir;
  }

  note(text: string): void {
    this.lines.push(text);
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
    this.note(`cat > ${name} <<'END'\n${text.trimEnd()}\nEND`);
  }

  /** Runs osapi-ops without noting it: for what only looks. */
  async look(args: readonly string[]): Promise<Said> {
    const said = await this.#run(args);
    if (said.ms <= SLOW_MS) return said;
    // A busy machine slows down what asks no server as well; what hangs, hangs again.
    const [again, idle] = await Promise.all([this.#run(args), this.#run(['--version'])]);
    return { ...said, ms: idle.ms > IDLE_MS ? 0 : Math.min(said.ms, again.ms) };
  }

  async #run(args: readonly string[]): Promise<Said> {
    const began = performance.now();
    const said = await startCli(args, { server: { url: this.#url }, cwd: this.dir }).done;
    return { ...said, line: line('osapi-ops', ...args), ms: performance.now() - began };
  }

  /** Runs osapi-ops; with `killAt` it is ended (kill -9) as soon as anything comes on that subject. */
  async ops(args: readonly string[], killAt?: { readonly subject: string; readonly after: number }): Promise<Said> {
    const typed = line('osapi-ops', ...args);
    if (!killAt) {
      this.note(typed);
      const said = await this.#run(args);
      const isBusy = said.ms > SLOW_MS && (await this.#run(['--version'])).ms > IDLE_MS;
      return isBusy ? { ...said, ms: 0 } : said;
    }
    const began = performance.now();
    const process = startCli(args, { server: { url: this.#url }, cwd: this.dir });
    let left = killAt.after;
    const sub = this.#nc.subscribe(killAt.subject, {
      callback: () => {
        left -= 1;
        if (left <= 0) process.child.kill('SIGKILL');
      },
    });
    await this.#nc.flush();
    const said = await process.done;
    sub.unsubscribe();
    this.note(
      said.signal === 'SIGKILL'
        ? `${typed}   # kill -9 as soon as message ${killAt.after} comes on ${killAt.subject}`
        : typed,
    );
    return { ...said, line: typed, ms: performance.now() - began };
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
    const typed =
      typeof payload !== 'string' || payload.length > 500
        ? `head -c ${payload.length} /dev/zero | tr '\\0' x | ${line('nats', 'request', ...words, subject)}   # and ${quote(String(payload).slice(0, 40))} before it`
        : line('nats', 'request', ...words, subject, payload);
    this.note(typed);
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
    // The server confirms each: what follows sees it done.
    await Promise.all(messages.map(({ reply }) => this.#nc.request(reply!, word, { timeout: 5000 })));
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
