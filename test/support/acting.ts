/** Names of files that may act: read or write files, start processes, set timers, look at the clock. Lengthening the list is a visible act. */
export const ACTING =
  /\/(read|scan|collect|store|lock|execute|step|follow|pace|send|fetch|pause|drain|loop|lease|handler|supervise|watch|edit|archive-file)\.ts$/;
