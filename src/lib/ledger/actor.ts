import { hostname, userInfo } from 'node:os';
import { conceal } from '../errors/conceal.ts';
import type { Actor } from '../model/history.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The CI run a process belongs to, by the variables of GitHub, GitLab and Jenkins; `undefined` outside of CI. */
export function identifyRun(env: Env): { ci: string; who?: string } | undefined {
  if (env.GITHUB_ACTIONS === 'true' && env.GITHUB_REPOSITORY) {
    const run = `${env.GITHUB_SERVER_URL ?? 'https://github.com'}/${env.GITHUB_REPOSITORY}/actions/runs/${env.GITHUB_RUN_ID}`;
    return { ci: run, ...(env.GITHUB_ACTOR && { who: env.GITHUB_ACTOR }) };
  }
  if (env.GITLAB_CI) {
    const ci = env.CI_JOB_URL ?? env.CI_PIPELINE_URL ?? `GitLab ${env.CI_PROJECT_PATH ?? ''} ${env.CI_JOB_ID ?? ''}`;
    return { ci: ci.trim(), ...(env.GITLAB_USER_LOGIN && { who: env.GITLAB_USER_LOGIN }) };
  }
  if (env.BUILD_URL) return { ci: env.BUILD_URL, ...(env.BUILD_USER_ID && { who: env.BUILD_USER_ID }) };
  return env.CI && env.CI !== 'false' ? { ci: 'CI' } : undefined;
}

function loginName(env: Env): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no passwd entry knows.
    return env.USER ?? env.LOGNAME ?? 'unknown';
  }
}

/** Who this process works for. */
export function identifyActor(env: Env): Actor {
  const run = identifyRun(env);
  return {
    who: run?.who ?? loginName(env),
    host: hostname(),
    pid: process.pid,
    // The URL of a page may hold a token.
    ...(run && { ci: conceal(run.ci) }),
  };
}

/** An actor in a sentence: `ada on build-7 (pid 4711, https://…)`. */
export const describeActor = ({ who, host, pid, ci }: Actor): string =>
  `${who} on ${host} (pid ${pid}${ci ? `, ${ci}` : ''})`;
