import type { Health } from './verdict.ts';

/** One thing `doctor` looked at, in the order of a connection's life. */
export interface Symptom {
  /** `settings`, `dns`, `port`, `tls`, `credentials`, `login`, `jetstream`, …: stable. */
  readonly id: string;
  readonly status: Health | 'skipped';
  /** One sentence with its figures. */
  readonly summary: string;
  /** What to do; only where the status is not ok. */
  readonly next?: string;
}

/** What decided one setting. */
export interface SettingSource {
  readonly name: string;
  /** What is set; a secret is never among it. */
  readonly value: string;
  readonly source: string;
}

export interface Diagnosis {
  readonly health: Health;
  readonly settings: readonly SettingSource[];
  readonly symptoms: readonly Symptom[];
}
