/** Thrown and caught within one file, to leave a reader of something foreign at once: a person never meets it. */
export class Fault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
