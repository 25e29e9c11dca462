import type { DlqRecord } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';

/** The consumer of a record that tells none. */
export const UNNAMED = '-';

/** What one message of a DLQ stream says: that this message of this consumer is dead. */
export interface Death {
  readonly queue: string;
  /** `UNNAMED` where the record does not tell. */
  readonly consumer: string;
  /** The original's sequence; where the record does not tell it, the record's own. */
  readonly seq: number;
  readonly id: string;
  readonly record: DlqRecord;
  /** The original as the record carries it. */
  readonly carried?: StoredMessage;
  /** False where the record does not tell the original's sequence: then there is nothing to look up. */
  readonly pointsAtOriginal: boolean;
  /** True where the sequence is that of an advisory that was found to be of the same death. */
  readonly isPlaced?: boolean;
  /** It carries what is stored as well, by all that can be told, and not settled: it may be a copy of that. */
  readonly inDoubt?: true;
}
