/** One step of the guided tour, as it came out. */
export interface DemoStep {
  readonly title: string;
  /** As a person would type it; absent where the step is no command. */
  readonly command?: string;
  readonly output: string;
  /** What the step was to show; said when it did. */
  readonly shows: string;
}

export interface DemoReport {
  readonly server: { readonly version: string; readonly url: string };
  readonly steps: readonly DemoStep[];
}
