// What a runner of GitHub Actions does, as far as our examples need it: a workflow's jobs in the order of their needs,
// each step's `run` in a real bash with the files and variables a runner gives it, composite actions, artifacts,
// expressions. What lives at GitHub (checkout, artifacts) is done with directories.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { cleanEnv } from './cli.ts';

type Values = Readonly<Record<string, string>>;

export interface WorkflowStep {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

export interface WorkflowJob {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Values;
  readonly steps: readonly WorkflowStep[];
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly WorkflowStep[] };
}

export interface JobRun {
  readonly result: 'success' | 'failure' | 'skipped';
  /** What all steps printed. */
  readonly log: string;
  readonly summary: string;
  readonly outputs: Values;
  /** Where RUNNER_TEMP was. */
  readonly temp: string;
}

export interface RunnerOptions {
  /** For everything of one run of a workflow. */
  readonly dir: string;
  /** What checkout brings. */
  readonly repository: string;
  /** The directory of the action that a `uses` names. */
  readonly actionOf: (uses: string) => string | undefined;
  /** Steps that are not run, such as an installation. */
  readonly skip?: (step: WorkflowStep) => boolean;
  /** Added to the environment of every step. */
  readonly env: Values;
  /** The contexts `vars`, `secrets` and `github`; `github.event` becomes GITHUB_EVENT_PATH. */
  readonly vars?: Values;
  readonly secrets?: Values;
  readonly github: Readonly<Record<string, unknown>>;
}

export const readYaml = <T>(file: string): T => parse(readFileSync(file, 'utf8')) as T;

/** Carries out a workflow; what becomes of each job, by its name. */
export async function runWorkflow(file: string, options: RunnerOptions): Promise<Readonly<Record<string, JobRun>>> {
  const { jobs } = readYaml<Workflow>(file);
  const runs: Record<string, JobRun> = {};
  // YAML keeps the order; a job comes after those it needs.
  for (const [name, job] of Object.entries(jobs)) runs[name] = await runJob(name, job, runs, options);
  return runs;
}

const SKIPPED: JobRun = { result: 'skipped', log: '', summary: '', outputs: {}, temp: '' };

async function runJob(
  name: string,
  job: WorkflowJob,
  runs: Readonly<Record<string, JobRun>>,
  options: RunnerOptions,
): Promise<JobRun> {
  const needed = [job.needs ?? []].flat();
  const needs = Object.fromEntries(needed.map((each) => [each, runs[each]!]));
  const failed = Object.values(needs).some(({ result }) => result === 'failure');
  const isReady = Object.values(needs).every(({ result }) => result === 'success');
  const dir = mkdtempSync(join(options.dir, `${name}-`));
  const temp = join(dir, 'temp');
  const workspace = join(dir, 'workspace');
  for (const each of [temp, workspace]) mkdirSync(each);
  const { vars = {}, secrets = {}, github } = options;
  const contexts = { vars, secrets, needs, runner: { temp }, github: { token: '', ...github, workspace } };
  if (!isTrue(job.if, contexts, { failed, isReady })) return SKIPPED;
  const runner = new JobRunner(options, { dir, temp, workspace });
  const { ok, steps } = await runner.steps(job.steps, contexts);
  const outputs = Object.entries(job.outputs ?? {}).map(([key, value]) => [key, filled(value, { ...contexts, steps })]);
  return {
    result: ok ? 'success' : 'failure',
    log: runner.log,
    summary: runner.summary(),
    outputs: Object.fromEntries(outputs),
    temp,
  };
}

type Contexts = Readonly<Record<string, unknown>>;
interface Ended {
  readonly ok: boolean;
  readonly steps: Readonly<Record<string, { readonly outputs: Values }>>;
}

class JobRunner {
  log = '';
  readonly #options: RunnerOptions;
  readonly #place: { readonly dir: string; readonly temp: string; readonly workspace: string };
  #path: string[] = [];
  #count = 0;

  constructor(options: RunnerOptions, place: { dir: string; temp: string; workspace: string }) {
    this.#options = options;
    this.#place = place;
    writeFileSync(this.#file('summary'), '');
    writeFileSync(this.#file('event.json'), JSON.stringify(options.github.event ?? {}));
  }

  #file = (name: string): string => join(this.#place.dir, name);
  summary = (): string => readFileSync(this.#file('summary'), 'utf8');

  async steps(steps: readonly WorkflowStep[], contexts: Contexts, action?: string): Promise<Ended> {
    const done: Record<string, { outputs: Values }> = {};
    let ok = true;
    for (const step of steps) {
      const here = { ...contexts, steps: done };
      if (this.#options.skip?.(step) || !isTrue(step.if, here, { failed: !ok, isReady: ok })) continue;
      const result = await (step.run === undefined ? this.#use(step, here) : this.#run(step, here, action));
      if (step.id) done[step.id] = { outputs: result.outputs };
      ok &&= result.ok;
    }
    return { ok, steps: done };
  }

  async #use(step: WorkflowStep, contexts: Contexts): Promise<{ ok: boolean; outputs: Values }> {
    const given = Object.entries(step.with ?? {}).map(([name, value]) => [name, filled(String(value), contexts)]);
    const inputs = Object.fromEntries(given) as Values;
    const [name] = step.uses!.split('@');
    if (name === 'actions/checkout') return this.#bring(this.#options.repository, this.#place.workspace);
    const kept = join(this.#options.dir, 'artifacts', inputs.name ?? '');
    if (name === 'actions/upload-artifact') return this.#bring(inputs.path!, kept);
    if (name === 'actions/download-artifact') return this.#bring(kept, inputs.path ?? this.#place.workspace);
    const dir = this.#options.actionOf(step.uses!);
    if (dir === undefined) throw new Error(`nobody here knows ${step.uses}`);
    return this.#useAction(dir, inputs, contexts);
  }

  #bring(from: string, to: string): { ok: boolean; outputs: Values } {
    if (!existsSync(from)) {
      this.log += `${from} is not there\n`;
      return { ok: false, outputs: {} };
    }
    cpSync(from, statSync(from).isDirectory() ? to : join(to, basename(from)), { recursive: true });
    return { ok: true, outputs: {} };
  }

  async #useAction(dir: string, given: Values, contexts: Contexts): Promise<{ ok: boolean; outputs: Values }> {
    const action = readYaml<Action>(join(dir, 'action.yml'));
    const unknown = Object.keys(given).filter((name) => !(name in action.inputs));
    if (unknown.length > 0) throw new Error(`the action has no input ${unknown.join(', ')}`);
    const defaults = Object.entries(action.inputs).map(([name, { default: value = '' }]) => [
      name,
      filled(String(value), contexts),
    ]);
    const inner = {
      github: contexts.github,
      runner: contexts.runner,
      inputs: { ...Object.fromEntries(defaults), ...given },
    };
    const { ok, steps } = await this.steps(action.runs.steps, inner, dir);
    const outputs = Object.entries(action.outputs).map(([name, { value }]) => [
      name,
      filled(value, { ...inner, steps }),
    ]);
    return { ok, outputs: Object.fromEntries(outputs) };
  }

  async #run(step: WorkflowStep, contexts: Contexts, action?: string): Promise<{ ok: boolean; outputs: Values }> {
    const number = ++this.#count;
    const [script, output, path] = ['script', 'output', 'path'].map((name) => this.#file(`${name}-${number}`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(script, filled(step.run!, contexts));
    for (const file of [output, path]) writeFileSync(file, '');
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, filled(String(value), contexts)]);
    const { temp, workspace } = this.#place;
    const { github } = contexts as { github: Values };
    const env: Record<string, string | undefined> = {
      ...this.#options.env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: workspace,
      GITHUB_STEP_SUMMARY: this.#file('summary'),
      GITHUB_EVENT_PATH: this.#file('event.json'),
      GITHUB_OUTPUT: output,
      GITHUB_PATH: path,
      GITHUB_REPOSITORY: github.repository,
      GITHUB_API_URL: github.api_url,
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_RUN_ID: '77',
      ...(action !== undefined && { GITHUB_ACTION_PATH: action }),
      RUNNER_TEMP: temp,
      ...Object.fromEntries(own),
    };
    const base = cleanEnv({ env });
    const code = await this.#bash(script, { ...base, PATH: [...this.#path, base.PATH].join(':') });
    this.#path = [...readLines(path).reverse(), ...this.#path];
    const outputs = readLines(output).map((line) => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]);
    return { ok: code === 0, outputs: Object.fromEntries(outputs) };
  }

  /** As a runner starts `shell: bash`. */
  #bash(script: string, env: NodeJS.ProcessEnv): Promise<number | null> {
    const args = ['--noprofile', '--norc', '-eo', 'pipefail', script];
    const child = spawn('bash', args, { cwd: this.#place.workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
  }
}

const readLines = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

/** What is left of a job in its RUNNER_TEMP. */
export const leftIn = (dir: string): string[] => readdirSync(dir).sort();

/** Text with its expressions evaluated. */
const filled = (text: string, contexts: Contexts): string =>
  text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => String(evaluate(expression, contexts) ?? ''));

interface Before {
  readonly failed: boolean;
  readonly isReady: boolean;
}

/** Without a status function of its own a condition holds only where all went well before. */
function isTrue(condition: string | undefined, contexts: Contexts, { failed, isReady }: Before): boolean {
  if (condition === undefined) return isReady;
  const expression = /^\$\{\{(.*)\}\}$/s.exec(condition.trim())?.[1] ?? condition;
  const status = { always: () => true, failure: () => failed, cancelled: () => false, success: () => isReady };
  const asks = /\b(always|failure|cancelled|success)\(\)/.test(expression);
  return (asks || isReady) && Boolean(evaluate(expression, { ...contexts, ...status }));
}

/** GitHub's expressions are JavaScript's, but for names with dashes, and for what is not there: it is empty. */
function evaluate(expression: string, contexts: Contexts): unknown {
  const script = expression.replace(/\.(\w+(?:-\w+)+)/g, "['$1']").replaceAll('==', '===');
  try {
    return new Function(...Object.keys(contexts), `return (${script});`)(...Object.values(contexts));
  } catch (error) {
    if (error instanceof TypeError) return '';
    throw error;
  }
}
