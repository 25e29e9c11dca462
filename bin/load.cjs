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

/**
 * A run keeps what it called in addition to what was kept. After so many runs in a row that called nothing new the file
 * is left alone: writing it takes as long as it saves.
 */
const STEADY = 3;

/**
 * Gives the exports of dist/main.cjs. Code is kept for each command (`known` by id), and for its help, by itself. A first
 * run takes what came with the package, where that was made by the same V8 on the same kind of machine.
 */
exports.loadMain = (file, known, argv) => {
  // The build writes a digest of the rest, then one function.
  const source = fs.readFileSync(file, 'latin1');
  const build = source.slice(3, 19);
  const asksForHelp = argv.includes('--help') || argv.includes('-h');
  const isRun = (name) => name === '__complete' || (Object.hasOwn(known, name) && !asksForHelp);
  const id = [`${argv[0]}:${argv[1]}`, argv[0]].find(isRun) ?? 'help';
  const name = `${id.replace(':', '-')}-${build}-${process.version}-${process.arch}`;
  const isOff = Boolean(process.env.NODE_DISABLE_COMPILE_CACHE);
  const shelf = isOff ? undefined : ownFolder();
  const place = shelf && path.join(shelf, name);
  const kept = place && readCode(place);
  const data = kept?.data.length || isOff ? kept?.data : readCode(shippedCode(file))?.data;
  const script = new vm.Script(source, { filename: file, cachedData: data });
  if (place && !(kept?.steady >= STEADY)) {
    process.once('exit', (code) => {
      if (!WHOLE.includes(code)) return;
      if (!kept) {
        // Most machines of pipelines run a command once and are gone: the first run leaves a note, and the second the code.
        writeCode(place, { steady: 0, data: Buffer.alloc(0) });
        tidy(shelf, name);
        return;
      }
      const whole = script.createCachedData();
      const isNew = !data || script.cachedDataRejected || whole.length > data.length * 1.02;
      writeCode(place, isNew ? { steady: 0, data: whole } : { steady: kept.steady + 1, data: kept.data });
    });
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module);
  return module.exports;
};

/** Where the build puts the code that it ships, for this V8 on this kind of machine. */
const shippedCode = (file) =>
  path.join(path.dirname(file), `code-${process.versions.v8}-${process.platform}-${process.arch}`);

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

/** V8 believes what it is given: a file that a crash left damaged must not reach it, so that a checksum comes first. */
function readCode(file) {
  try {
    const bytes = fs.readFileSync(file);
    if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4))) return undefined;
    return { steady: bytes.readUInt32LE(4), data: bytes.subarray(8) };
  } catch {
    return undefined;
  }
}

/** Another run may read or write the same at the same time; without the file, the next run only takes longer. */
function writeCode(file, { steady, data, mode = 0o600 }) {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(steady, 4);
  head.writeUInt32LE(crc32(data, crc32(head.subarray(4))), 0);
  const own = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(own, Buffer.concat([head, data]), { mode });
    fs.renameSync(own, file);
  } catch {
    fs.rmSync(own, { force: true });
  }
}

/** Removes what other builds left of the same command. Those of the last hour may be of a copy that is in use. */
function tidy(shelf, own) {
  const whose = (name) => name.replace(/-[0-9a-f]{16}-/, '-');
  try {
    for (const name of fs.readdirSync(shelf).filter((each) => each !== own && whose(each) === whose(own))) {
      const file = path.join(shelf, name);
      if (Date.now() - fs.statSync(file).mtimeMs > 3_600_000) fs.rmSync(file);
    }
  } catch {
    // Another run tidies at the same time.
  }
}

Object.assign(exports, { readCode, shippedCode, writeCode });
