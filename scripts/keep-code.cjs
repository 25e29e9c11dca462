// Runs one command of a fresh build, and adds the code that it called to what ships with the build:
// FOLDER ROOT ARG… Only the build starts it; what the command says or how it ends does not matter.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');
const { readCode, shippedCode, writeCode } = require('../bin/load.cjs');

const [folder, root, ...argv] = process.argv.slice(2);
const filename = path.join(folder, 'main.cjs');
const place = shippedCode(filename);
const script = new vm.Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData: readCode(place)?.data });
process.once('exit', () => writeCode(place, { steady: 0, data: script.createCachedData(), mode: 0o644 }));
const loaded = { exports: {} };
script.runInThisContext()(loaded.exports, createRequire(filename), loaded);
loaded.exports.main(argv, JSON.parse(fs.readFileSync(path.join(folder, 'commands.json'), 'utf8')), root);
