/** What the core tells its host. A TTY host draws, a plain host prints lines, a test host records. All go to stderr. */
export type Event =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'tasks'; readonly title: string; readonly tasks: readonly string[] }
  | {
      readonly type: 'task';
      readonly index: number;
      readonly state: 'started' | 'done' | 'failed' | 'skipped';
      readonly detail?: string;
    }
  | { readonly type: 'tasks-end' }
  | { readonly type: 'progress'; readonly title: string; readonly done: number; readonly total?: number };

/** A question with the answer that is taken where nobody can be asked. For what destroys, that is no. */
export type Question =
  | { readonly type: 'confirm'; readonly text: string; readonly fallback: boolean }
  | { readonly type: 'typed-name'; readonly text: string; readonly name: string; readonly fallback: '' }
  | { readonly type: 'text'; readonly text: string; readonly fallback: string }
  | {
      readonly type: 'choice';
      readonly text: string;
      readonly choices: readonly { value: string; label: string }[];
      readonly fallback: string;
    };

export type Answer<Q extends Question> = Q extends { type: 'confirm' } ? boolean : string;

/** The port of two verbs through which the core talks to people. */
export interface Io {
  /** True where a person can answer: stdin and stderr are terminals and no flag forbids it. */
  readonly interactive: boolean;
  tell(event: Event): void;
  /** Resolves to the question's fallback where `interactive` is false. */
  ask<Q extends Question>(question: Q): Promise<Answer<Q>>;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}
