import type { Config } from '../model/json.ts';

/** A file to convert, as read. */
export interface ForeignFile {
  readonly file: string;
  readonly text: string;
}

/** Something written in a foreign file that a spec has no place for. */
export interface LeftOut {
  readonly file: string;
  /** Where in the file: `Stream/orders spec.preventDelete`, `config.foo`. */
  readonly path: string;
  readonly why: string;
}

interface FoundBase {
  readonly file: string;
  readonly name: string;
  /** In wire names and units, of known fields only; without the name. */
  readonly config: Config;
  /** The owner mark it carries. */
  readonly owner?: string;
  /** How to speak of it: `Stream/orders`, or empty where a file holds one thing. */
  readonly path: string;
}

/** A stream, bucket or consumer understood in a foreign file. */
export type Found =
  | (FoundBase & { readonly kind: 'stream' | 'bucket' })
  /** `stream` is absent where the file does not say it: a consumer's bare configuration. */
  | (FoundBase & { readonly kind: 'consumer'; readonly stream?: string });

/** What one foreign file gives. */
export interface Reading {
  readonly found: readonly Found[];
  readonly leftOut: readonly LeftOut[];
}
