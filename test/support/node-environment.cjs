// The world in which jest runs a test file is the process itself: no context of its own, whose every global goes through
// a proxy. What jest would put into that of the file it puts here.
module.exports = class NodeEnvironment {
  global = Object.create(globalThis, { process: { value: undefined } });
  getVmContext = () => null;
  exportConditions = () => ['node', 'node-addons'];
  async setup() {}
  async teardown() {}
};
