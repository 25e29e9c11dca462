import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nkeys } from '@nats-io/transport-node';
import { parse } from 'yaml';
import { EXIT } from '../../src/lib/errors/codes.ts';
import { type CliResult, ROOT, runCli } from '../support/cli.ts';
import { openStage, type Stage } from '../support/example-stage.ts';
import { lintManifests } from '../support/linters.ts';
import { needing } from '../support/needing.ts';
import { warmProgram } from '../support/warm-program.ts';

const FOLDER = 'examples/kubernetes';
const FILES = ['apply-job.yaml', 'replay-cronjob.yaml'].map((name) => join(FOLDER, name));

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly resources: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface JobSpec {
  readonly backoffLimit: number;
  readonly activeDeadlineSeconds: number;
  readonly podFailurePolicy: {
    readonly rules: readonly {
      readonly action: string;
      readonly onExitCodes?: { readonly containerName: string; readonly values: readonly number[] };
    }[];
  };
  readonly template: {
    readonly spec: {
      readonly restartPolicy: string;
      readonly automountServiceAccountToken: boolean;
      readonly securityContext: object;
      readonly containers: readonly Container[];
      readonly volumes: readonly object[];
    };
  };
}
interface Manifest {
  readonly kind: 'Job' | 'CronJob';
  readonly spec: JobSpec & { readonly concurrencyPolicy?: string; readonly jobTemplate?: { readonly spec: JobSpec } };
}

// Kubernetes reads YAML 1.1, where a mode such as 0440 is octal.
const manifests = FILES.map((file) => parse(readFileSync(file, 'utf8'), { version: '1.1' }) as Manifest);
const jobs = manifests.map(({ kind, spec }) => ({ kind, job: spec.jobTemplate?.spec ?? spec }));
const [applyJob, replayJob] = jobs.map(({ job }) => job) as [JobSpec, JobSpec];

const program = warmProgram();
let stage: Stage;
beforeEach(async () => {
  stage = await openStage(program);
  mkdirSync(join(stage.dir, 'etc/nats'), { recursive: true });
  cpSync(join(ROOT, FOLDER), join(stage.dir, 'etc/osapi-ops'), { recursive: true });
  const seed = new TextDecoder().decode(nkeys.createUser().getSeed());
  writeFileSync(join(stage.dir, 'etc/nats/nats.creds'), `eyJ0eXAi.eyJzdWIi.c2ln\n${seed}\n`);
});
afterEach(() => stage.end());

/** A job's container as a process: its own command and environment, its mounts as directories, nowhere to write. */
function run({ template }: JobSpec, { url = stage.server.url, more = [] as string[] } = {}): Promise<CliResult> {
  const [container] = template.spec.containers;
  const placed = (text: string) =>
    container!.volumeMounts.reduce((all, { mountPath }) => all.replace(mountPath, join(stage.dir, mountPath)), text);
  const given = container!.env.map(({ name, value = '' }) => [name, placed(value)]);
  return runCli([], {
    command: [...container!.command, ...container!.args.map(placed), ...more],
    cwd: '/',
    env: {
      ...Object.fromEntries(given),
      NATS_URL: url,
      PATH: [join(stage.dir, '.home', 'bin'), process.env.PATH].join(':'),
      HOME: '/nowhere',
      TMPDIR: '/nowhere',
      XDG_CONFIG_HOME: undefined,
      XDG_CACHE_HOME: undefined,
    },
  });
}
const givenUp = ({ podFailurePolicy }: JobSpec): readonly number[] =>
  podFailurePolicy.rules.find(({ action }) => action === 'FailJob')!.onExitCodes!.values;

describe('carried out', () => {
  test('the job makes the server as its spec says, and a second one changes nothing', async () => {
    const first = await run(applyJob);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied: 4 created') });
    expect(await run(applyJob)).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do') });
  });

  test('the cron job moves dead letters back and waits for their answers', async () => {
    await run(applyJob);
    await stage.kill(7);
    const worker = stage.start('osapi-ops worker run --builtin echo');
    await worker.until('stderr', /works on REQUESTS/);
    const replayed = await run(replayJob);
    worker.child.kill('SIGTERM');
    await worker.done;
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining('Replayed 7 dead letters.') });
    expect(replayed.stdout).toContain('7 answered.');
  });

  test('what to try again helps is tried again; what it cannot help is given up at once', async () => {
    const away = await run(applyJob, { url: 'nats://127.0.0.1:1' });
    expect(away.code).toBe(EXIT.unavailable);
    expect(givenUp(applyJob)).not.toContain(away.code);
    writeFileSync(join(stage.dir, 'etc/osapi-ops/osapi-ops.yaml'), 'version: 1\n');
    const wrong = await run(applyJob);
    expect(givenUp(applyJob)).toContain(wrong.code);
    rmSync(join(stage.dir, 'etc/nats/nats.creds'));
    expect(givenUp(replayJob)).toContain((await run(replayJob)).code);
  });
});

describe('as written', () => {
  test.each(jobs)('a $kind runs as nobody, may do nothing, and writes nowhere', ({ job }) => {
    const { spec } = job.template;
    expect(spec).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' });
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const { securityContext, resources } of spec.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({
        requests: { memory: expect.anything() },
        limits: { memory: expect.anything() },
      });
    }
    expect(spec.volumes).toContainEqual({
      name: 'creds',
      secret: { secretName: expect.stringMatching(/^osapi-ops-/), defaultMode: 0o440 },
    });
  });

  test.each(jobs)('a $kind holds no secret of its own', ({ job }) => {
    const names = job.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name));
    expect(names.sort()).toEqual(['NATS_CREDS', 'NATS_URL']);
  });

  test.each(jobs)('a $kind either gives up on an exit code or tries again, and ends some time', ({ job }) => {
    const again = [EXIT.done, EXIT.unavailable, EXIT.held, EXIT.interrupted];
    const codes = Object.values(EXIT).filter((code) => !again.some((each) => each === code));
    expect([...givenUp(job)].sort()).toEqual([...codes].sort());
    expect(job.backoffLimit).toBeGreaterThan(0);
    expect(job.activeDeadlineSeconds).toBeGreaterThan(0);
    const containers = job.podFailurePolicy.rules.flatMap(({ onExitCodes }) => onExitCodes?.containerName ?? []);
    expect(containers).toEqual([job.template.spec.containers[0]!.name]);
  });

  test('two replays never run at once', () => {
    expect(manifests[1]!.spec.concurrencyPolicy).toBe('Forbid');
  });

  needing('kubectl').test('kustomize puts spec and image in', () => {
    const { status, stdout } = spawnSync('kubectl', ['kustomize', FOLDER], { encoding: 'utf8' });
    expect(status).toBe(0);
    const all = stdout.split(/^---$/m).map((text) => parse(text));
    expect(all.map(({ kind }) => kind).sort()).toEqual(['ConfigMap', 'CronJob', 'Job']);
    const spec = all.find(({ kind }) => kind === 'ConfigMap');
    const job = all.find(({ kind }) => kind === 'Job').spec.template.spec;
    expect(job.volumes[0].configMap.name).toBe(spec.metadata.name);
    expect(job.containers[0].image).toBe('registry.example.com/osapi-ops:0.1.0');
    expect(spec.data['osapi-ops.yaml']).toBe(readFileSync(join(FOLDER, 'osapi-ops.yaml'), 'utf8'));
  });

  for (const version of ['1.31.0', '1.37.0']) lintManifests(version, FILES);
});
