import type { Config, Json } from '../model/json.ts';
import type { Impact } from '../model/plan.ts';

/** The kind of value a field holds: how it is checked, written in YAML, shown and compared. */
export type FieldType =
  | { readonly type: 'text'; readonly pattern?: string }
  | { readonly type: 'flag' }
  /** An integer; `unlimited` accepts -1 and the word. */
  | { readonly type: 'count'; readonly unlimited?: boolean; readonly min?: number; readonly max?: number }
  /** Nanoseconds on the wire, `30s` in the spec; `unlimited` where 0 is no limit. */
  | { readonly type: 'duration'; readonly unlimited?: boolean; readonly min?: number }
  /** Bytes on the wire, `1GiB` in the spec. */
  | { readonly type: 'size'; readonly unlimited?: boolean; readonly bits?: 32 | 64 }
  /** RFC 3339. */
  | { readonly type: 'time' }
  | {
      readonly type: 'choice';
      readonly values: readonly string[];
      /** Other spellings people bring along, and what they mean here. */
      readonly aliases?: Readonly<Record<string, string>>;
      /** Values that came later than the field, with the first version that has them. */
      readonly since?: Readonly<Record<string, string>>;
    }
  | { readonly type: 'texts' }
  | { readonly type: 'durations' }
  | { readonly type: 'map' }
  | { readonly type: 'group'; readonly fields: readonly Field[] }
  | { readonly type: 'groups'; readonly fields: readonly Field[]; readonly key: string };

/** What a default depends on. */
export interface FillContext {
  /** The server's version, as `2.15.1`. */
  readonly version: string;
  /** The resource's whole configuration, defaults not yet filled. */
  readonly config: Config;
  /** A consumer's stream, where it is known: its consumer_limits and replicas bear on the defaults. */
  readonly stream?: Config;
}

/** A change of one field as the impact rules see it: canonical values, and the whole configuration on both sides. */
export interface Move {
  readonly from: Json;
  readonly to: Json;
  readonly before: Config;
  readonly after: Config;
  readonly version: string;
  readonly clustered: boolean;
}

export interface Verdict {
  readonly impact: Impact;
  /** One sentence: why the server refuses it, or what it does to messages. */
  readonly note?: string;
}

/** How the server takes a change: always in place, never (with the reason), or it depends. */
export type ChangeRule = 'in-place' | { readonly never: string } | ((move: Move) => Verdict);

/** What a lower value deletes at once: by age, by count, by bytes, by count for each subject. */
export type Loss = 'age' | 'messages' | 'bytes' | 'per-subject';

/** One field of a stream, consumer or bucket: everything the tool knows of it. Nothing else repeats these facts. */
export interface Field {
  /** The JetStream API's name. */
  readonly name: string;
  readonly type: FieldType;
  /** One sentence for docs and editors. */
  readonly doc: string;
  /** What the server puts where the field is left out. */
  readonly fill: Json | ((context: FillContext) => Json);
  /** The first server version that has it; absent: all that are supported. */
  readonly since?: string;
  /** The last minor version that has it, as `2.12`. */
  readonly until?: string;
  readonly change: ChangeRule;
  readonly loss?: Loss;
  /** A server's own configuration may fill in less where the field is left out; its API does not tell. */
  readonly lowers?: true;
  /** Names people bring along from the nats CLI and elsewhere. camelCase of `name` is always understood. */
  readonly aliases?: readonly string[];
  /** Where the facts come from: measured on which versions, or the server's source. */
  readonly source: string;
}

export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
