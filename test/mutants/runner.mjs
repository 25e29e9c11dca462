// A runner for Stryker: jest's own parts (circus runs the tests, expect judges), without a jest for every mutant. The tests
// are bundled with what they import, once; each mutant gets modules of its own by running anew those files whose tests
// come to it.
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { jestExpect } from '@jest/expect';
import { build } from 'esbuild';
import * as circus from 'jest-circus';
import { SnapshotState } from 'jest-snapshot';

globalThis.__stryker__ ??= {};
const stryker = globalThis.__stryker__;
const snapshots = { rootDir: process.cwd(), snapshotFormat: { escapeString: false, printBasicPrototype: false } };
jestExpect.setState({ snapshotState: new SnapshotState('none.snap', { ...snapshots, updateSnapshot: 'none' }) });
// A bound for a test that hangs, not for a machine that is busy.
globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = 30_000;

/** The file of each block that stands in no other, and of each such test. */
const files = new WeakMap();
/** `file: name of the test with those of what is around it`. */
function idOf(test) {
  const names = [];
  let top = test;
  for (let at = test; at.parent; at = at.parent) {
    names.unshift(at.name);
    top = at;
  }
  return `${files.get(top)}: ${names.join(' ')}`;
}
const fileOf = (id) => id.slice(0, id.indexOf(': '));

/** The quickest first: most faults are noticed by one of them. */
function sortByTime(block, times) {
  const timeOf = (at) => (at.type === 'test' ? (times.get(idOf(at)) ?? 0) : sum(at.children.map(timeOf)));
  block.children.sort((a, b) => timeOf(a) - timeOf(b));
  for (const child of block.children) if (child.type === 'describeBlock') sortByTime(child, times);
}
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** A file that asks where it is gets its own place, not the bundle's. */
const readWithUrl = ({ path }) => ({
  contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
  loader: 'ts',
});

class InProcessRunner {
  static inject = ['options'];
  constructor({ tests }) {
    this.tests = tests;
    this.times = new Map();
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    const { outputFiles, metafile } = await build({
      // esbuild's own is that of when it was loaded: not yet Stryker's copy.
      absWorkingDir: process.cwd(),
      entryPoints: globSync(this.tests),
      bundle: true,
      splitting: true,
      write: false,
      metafile: true,
      outdir: 'bundle',
      entryNames: '[name]-[hash]',
      format: 'esm',
      platform: 'node',
      target: 'node22',
      packages: 'external',
      treeShaking: false,
      plugins: [{ name: 'own-url', setup: (own) => own.onLoad({ filter: /\.ts$/ }, readWithUrl) }],
    });
    const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
    const outside = new Map();
    for (const { path, external } of Object.values(metafile.outputs).flatMap(({ imports }) => imports)) {
      if (!external || outside.has(path)) continue;
      const found = path === '@jest/globals' ? { ...circus, expect: jestExpect } : await import(path);
      const names = Object.keys(found);
      const module = new vm.SyntheticModule(names, () => {
        for (const name of names) module.setExport(name, found[name]);
      });
      outside.set(path, module);
    }
    this.entries = new Map(
      Object.entries(metafile.outputs).flatMap(([path, { entryPoint }]) =>
        entryPoint?.endsWith('.test.ts') ? [[entryPoint, basename(path)]] : [],
      ),
    );
    this.load = async (wanted) => {
      const modules = new Map(outside);
      const find = (path) => {
        const name = outside.has(path) ? path : basename(path);
        if (!modules.has(name)) {
          modules.set(name, new vm.SourceTextModule(texts.get(name), { importModuleDynamically: evaluated }));
        }
        return modules.get(name);
      };
      const evaluated = async (path) => {
        const module = find(path);
        if (module.status === 'unlinked') await module.link(find);
        await module.evaluate();
        return module;
      };
      const { rootDescribeBlock } = circus.getState();
      for (const file of wanted) {
        const before = rootDescribeBlock.children.length;
        await evaluated(this.entries.get(file));
        for (const block of rootDescribeBlock.children.slice(before)) files.set(block, file);
      }
    };
  }

  /** Runs the tests of these names, or all; stops after the first that fails, where it may. */
  async run({ names, mayStop, activeMutant, isStatic }) {
    const results = [];
    let isOver = false;
    circus.resetState();
    const watch = ({ name, test }) => {
      const id = test && idOf(test);
      if (name === 'test_start') {
        if (isOver || (names && !names.has(id))) test.mode = 'skip';
        else stryker.currentTestId = id;
      }
      if (name !== 'test_done') return;
      stryker.currentTestId = undefined;
      const failed = test.errors.length > 0;
      isOver = failed && mayStop;
      results.push({
        id,
        name: id,
        timeSpentMs: test.duration ?? 0,
        status: failed ? 1 : 0,
        failureMessage: String(test.errors),
      });
    };
    circus.addEventHandler(watch);
    try {
      stryker.activeMutant = isStatic ? activeMutant : undefined;
      await this.load(new Set(names ? [...names].map(fileOf) : this.entries.keys()));
      stryker.activeMutant = activeMutant;
      sortByTime(circus.getState().rootDescribeBlock, this.times);
      await circus.run();
    } finally {
      circus.removeEventHandler(watch);
      stryker.activeMutant = undefined;
    }
    return results;
  }

  async dryRun() {
    stryker.mutantCoverage = { static: {}, perTest: {} };
    const tests = await this.run({ mayStop: false });
    this.times = new Map(tests.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    return { status: 'complete', tests, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, disableBail, mutantActivation }) {
    stryker.hitLimit = hitLimit;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    try {
      const results = await this.run({
        names: testFilter && new Set(testFilter),
        mayStop: !disableBail,
        activeMutant: activeMutant.id,
        isStatic: mutantActivation === 'static',
      });
      if (stryker.hitCount > hitLimit) return { status: 'timeout', reason: 'went round and round' };
      const failed = results.filter(({ status }) => status === 1);
      if (failed.length === 0) return { status: 'survived', nrOfTests: results.length };
      const [{ failureMessage }] = failed;
      return { status: 'killed', killedBy: failed.map(({ id }) => id), failureMessage, nrOfTests: results.length };
    } catch (error) {
      // What cannot even be loaded fails every test.
      return { status: 'killed', killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    }
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', injectableClass: InProcessRunner }];
