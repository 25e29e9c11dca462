// What a runner of GitLab CI does, as far as our example needs it: the jobs whose rules hold, stage by stage, each script in
// a clean checkout with the artifacts of the stages before.
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCli } from './cli.ts';

type Values = Readonly<Record<string, string>>;

export interface GitlabJob {
  readonly stage: string;
  readonly script: readonly string[];
  readonly rules: readonly { readonly if: string; readonly when?: string }[];
  readonly needs?: readonly string[];
  readonly allow_failure?: { readonly exit_codes: readonly number[] };
  readonly artifacts?: {
    readonly when?: string;
    readonly paths?: readonly string[];
    readonly reports?: Readonly<Record<string, string>>;
  };
}

export interface Pipeline {
  readonly variables: Values;
  readonly stages: readonly string[];
  readonly default: {
    readonly before_script: readonly string[];
    readonly retry: { readonly exit_codes: readonly number[] };
  };
  readonly jobs: Readonly<Record<string, GitlabJob>>;
}

const KEYWORDS = new Set(['variables', 'stages', 'default', 'include', 'workflow']);

export function toPipeline(file: Readonly<Record<string, unknown>>): Pipeline {
  const jobs = Object.entries(file).filter(([name]) => !KEYWORDS.has(name));
  return { ...(file as unknown as Pipeline), jobs: Object.fromEntries(jobs) as Pipeline['jobs'] };
}

export interface GitlabJobRun {
  readonly status: 'success' | 'failed' | 'warning' | 'manual' | 'skipped';
  readonly code: number;
  readonly log: string;
  /** Where its artifacts and reports were. */
  readonly dir: string;
}

export interface GitlabOptions {
  readonly dir: string;
  readonly repository: string;
  /** The variables of the pipeline and of the project. */
  readonly env: Values;
  /** Manual jobs that somebody clicks on. */
  readonly click?: readonly string[];
}

/** `$A == "b"` and `$A == $B`, with `&&` between. */
const holds = (condition: string, env: Values): boolean =>
  condition.split('&&').every((part) => {
    const [left, right] = part.split('==').map((side) => side.trim());
    const sideOf = (side = '') => (side.startsWith('$') ? env[side.slice(1)] : side.replace(/^"|"$/g, ''));
    return sideOf(left) === sideOf(right);
  });

/** Carries out a pipeline; what became of each job whose rules hold. */
export async function runPipeline(pipeline: Pipeline, options: GitlabOptions): Promise<Record<string, GitlabJobRun>> {
  const runs: Record<string, GitlabJobRun> = {};
  const env = { ...pipeline.variables, ...options.env };
  for (const stage of pipeline.stages) {
    const isBroken = Object.values(runs).some(({ status }) => status === 'failed');
    for (const [name, job] of Object.entries(pipeline.jobs)) {
      const rule = job.stage === stage ? job.rules.find((each) => holds(each.if, env)) : undefined;
      if (!rule) continue;
      const waits = rule.when === 'manual' && !options.click?.includes(name);
      const nothing = { code: 0, log: '', dir: '' };
      if (isBroken && rule.when !== 'always') runs[name] = { status: 'skipped', ...nothing };
      else if (waits) runs[name] = { status: 'manual', ...nothing };
      else runs[name] = await runJob(name, job, pipeline, { ...options, env });
    }
  }
  return runs;
}

async function runJob(
  name: string,
  job: GitlabJob,
  { jobs, stages }: Pipeline,
  { dir, repository, env }: GitlabOptions,
): Promise<GitlabJobRun> {
  const cwd = mkdtempSync(join(dir, `${name}-`));
  cpSync(repository, cwd, { recursive: true });
  const earlier = Object.keys(jobs).filter((each) => stages.indexOf(jobs[each]!.stage) < stages.indexOf(job.stage));
  for (const each of job.needs ?? earlier) {
    const kept = join(dir, 'artifacts', each);
    if (existsSync(kept)) cpSync(kept, cwd, { recursive: true });
  }
  const script = job.script.join('\n');
  const command = ['bash', '-eo', 'pipefail', '-c', script];
  const { code, stdout, stderr } = await runCli([], {
    command,
    cwd,
    env: { ...env, CI: 'true', GITLAB_CI: 'true', CI_PROJECT_DIR: cwd },
  });
  if (code === 0 || job.artifacts?.when === 'always') {
    for (const path of job.artifacts?.paths ?? []) {
      const kept = join(dir, 'artifacts', name, path);
      mkdirSync(dirname(kept), { recursive: true });
      cpSync(join(cwd, path), kept);
    }
  }
  const isAllowed = job.allow_failure?.exit_codes.includes(code ?? -1);
  const status = code === 0 ? 'success' : isAllowed ? 'warning' : 'failed';
  return { status, code: code ?? -1, log: stdout + stderr, dir: cwd };
}
