// What a test imports from @jest/globals: of the file that is under way, since modules outlive their file.
let current;

const now = (name) =>
  new Proxy(() => {}, {
    apply: (_target, _self, args) => current[name](...args),
    get: (_target, key) => current[name][key],
  });
exports.afterAll = now('afterAll');
exports.afterEach = now('afterEach');
exports.beforeAll = now('beforeAll');
exports.beforeEach = now('beforeEach');
exports.describe = now('describe');
exports.expect = now('expect');
exports.test = now('test');

// Circus looks for the settings of a file among the globals.
const settingOf = (name) => Symbol.for(name);
const SETTINGS = ['TEST_TIMEOUT_SYMBOL', 'RETRY_TIMES', 'LOG_ERRORS_BEFORE_RETRY'];
exports.jest = {
  setTimeout: (ms) => {
    globalThis[settingOf('TEST_TIMEOUT_SYMBOL')] = ms;
  },
  retryTimes: (times, { logErrorsBeforeRetry = false } = {}) => {
    globalThis[settingOf('RETRY_TIMES')] = times;
    globalThis[settingOf('LOG_ERRORS_BEFORE_RETRY')] = logErrorsBeforeRetry;
  },
};

/** Another file begins. */
exports.enter = (globals) => {
  current = globals;
  for (const name of SETTINGS) delete globalThis[settingOf(name)];
};
