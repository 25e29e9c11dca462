/** Ends some work early for one of us who waits for it, and says why: a person never meets it. */
export class Fault extends Error {
  readonly code: string;

  constructor(why: string) {
    super(why);
    this.code = why;
  }
}
