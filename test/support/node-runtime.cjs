// How jest loads a test file: Node does it, as it does for the scripts here, and a module that many files use is loaded once
// a process. With modules of its own for each file jest spends more time on loading than on testing. A test therefore
// leaves no state in a module.
const { registerHooks } = require('node:module');
const { pathToFileURL } = require('node:url');
const { enter } = require('./globals.cjs');

const GLOBALS = pathToFileURL(require.resolve('./globals.cjs')).href;
registerHooks({
  resolve: (name, context, next) =>
    name === '@jest/globals' ? { url: GLOBALS, shortCircuit: true } : next(name, context),
});

module.exports = class NodeRuntime {
  static #files = 0;
  #setups;
  constructor({ setupFilesAfterEnv }) {
    this.#setups = setupFilesAfterEnv;
    NodeRuntime.#files += 1;
  }
  requireInternalModule(path) {
    // What circus knows of a file is in its module, and who hears of it.
    delete globalThis[Symbol.for('EVENT_HANDLERS')];
    delete require.cache[path];
    return require(path);
  }
  setGlobalsForRuntime(globals) {
    enter(globals);
  }
  requireModule = require;
  unstable_shouldLoadAsEsm = () => true;
  async unstable_importModule(path) {
    const { forgetSecrets } = await import('../../src/lib/errors/conceal.ts');
    forgetSecrets();
    // What is set up is set up for each file.
    await import(pathToFileURL(path).href + (this.#setups.includes(path) ? `?${NodeRuntime.#files}` : ''));
  }
  enterTestCode() {}
  leaveTestCode() {}
  getSourceMaps = () => new Map();
  getAllCoverageInfoCopy() {}
  teardown() {}
};
