// Stands in the bundle for packages that oclif loads and this CLI never reaches: globbing for commands (the manifest
// lists them), matching plugin names (there are no plugins), version ranges of Node, reading a plugin's tsconfig, the spinners of `ux.action`, and
// `debug`, a function by which it would write of its own doings.
// On a terminal oclif looks up its spinner when it is loaded: `dots2`, on Windows `line`.
const still = { frames: [''] };
const silent = () => {};
const found = { minimatch: () => false, glob: async () => [], isWsl: false, dots: still, dots2: still, line: still };
module.exports = Object.assign(() => silent, found);
