// Loads the bundle with the code that V8 made of it in an earlier run. Node's own compile cache holds no more than what
// is compiled when a file is loaded, a tenth of what a command goes on to call: the rest would be compiled at each start.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { tmpdir } = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const { crc32 } = require('node:zlib');

/** Exit codes of runs that went all the way: 2 tells of pending changes, or of a system that is not well. */
const WHOLE = [0, 2];

/** Gives the exports of dist/main.cjs. Code is kept for each command (`known` by id) by itself: it is what that one calls. */
exports.loadMain = (file, known, argv) => {
  // The build starts with a digest of the rest.
  const source = fs.readFileSync(file, 'utf8');
  const build = source.slice(3, 19);
  const isKnown = (name) => name === '__complete' || Object.hasOwn(known, name);
  const id = [`${argv[0]}:${argv[1]}`, argv[0]].find(isKnown) ?? 'none';
  const name = `${id.replace(':', '-')}-${build}-${process.version}-${process.arch}`;
  const shelf = process.env.NODE_DISABLE_COMPILE_CACHE ? undefined : ownFolder();
  const kept = shelf && path.join(shelf, name);
  const cachedData = kept && read(kept);
  const script = new vm.Script(`(function (exports, require, module) {${source}\n})`, {
    filename: file,
    cachedData,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (kept && (!cachedData || script.cachedDataRejected)) {
    process.once('exit', (code) => WHOLE.includes(code) && write(kept, script.createCachedData()));
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module);
  return module.exports;
};

/** A folder that nobody else can have put anything into; undefined where there is none. */
function ownFolder() {
  const user = process.getuid?.() ?? 'user';
  const folder = path.join(tmpdir(), `osapi-ops-code-${user}`);
  try {
    fs.mkdirSync(folder, { mode: 0o700, recursive: true });
    const { mode, uid } = fs.lstatSync(folder);
    const isOurs = process.platform === 'win32' || (uid === user && (mode & 0o170022) === 0o040000);
    return isOurs ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** V8 believes what it is given: a file that a crash left damaged must not reach it. */
function read(file) {
  try {
    const kept = fs.readFileSync(file);
    const data = kept.subarray(4);
    return kept.readUInt32LE() === crc32(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Another run may read or write the same at the same time; without the file, the next run only takes longer. */
function write(file, data) {
  const own = `${file}.${process.pid}`;
  try {
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(data));
    fs.writeFileSync(own, Buffer.concat([sum, data]), { mode: 0o600 });
    fs.renameSync(own, file);
  } catch {
    fs.rmSync(own, { force: true });
  }
}
