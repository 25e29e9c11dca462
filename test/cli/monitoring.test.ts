import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asTyped } from '../support/grafana-types.ts';
import { lintDashboard } from '../support/linters.ts';
import { needing } from '../support/needing.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-monitoring-'));
afterAll(() => rmSync(cwd, { recursive: true }));

// No server is there to be asked.
const env = { NATS_URL: 'nats://127.0.0.1:1' };
const PROD = join(import.meta.dirname, '../../config/prod.yaml');

describe('the dashboard', () => {
  beforeAll(async () => {
    const { stdout } = await runCli(['monitoring', 'grafana', PROD], { cwd, env });
    writeFileSync(join(cwd, 'dashboard.ts'), asTyped(stdout));
  });
  lintDashboard(join(cwd, 'dashboard.ts'));
});

describe('monitoring', () => {
  needing('promtool').test('alerts prints rules that promtool takes, and that fire when they should', async () => {
    const { code, stdout } = await runCli(['monitoring', 'alerts', PROD], { cwd, env });
    expect(code).toBe(0);
    writeFileSync(join(cwd, 'rules.yml'), stdout);
    const promtool = (...args: string[]) => spawnSync('promtool', args, { cwd, encoding: 'utf8' });
    expect(promtool('check', 'rules', 'rules.yml')).toMatchObject({ status: 0 });
    writeFileSync(
      join(cwd, 'cases.yml'),
      `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'osapi_ops_up'
        values: '1x20'
      - series: 'osapi_ops_health_status{system="osapi"}'
        values: '2x20'
      - series: 'osapi_ops_dead_messages{system="osapi",resource="REQUESTS"}'
        values: '0x5 99x5 100x10'
    alert_rule_test:
      - {eval_time: 4m, alertname: OsapiOpsDeadWarning, exp_alerts: []}
      - {eval_time: 18m, alertname: OsapiOpsNotMeasured, exp_alerts: []}
      - eval_time: 9m
        alertname: OsapiOpsDeadCritical
        exp_alerts: []
    promql_expr_test:
      - expr: count(ALERTS{alertname="OsapiOpsDeadWarning",alertstate="firing"})
        eval_time: 9m
        exp_samples: [{value: 1}]
      - expr: count(ALERTS{alertname="OsapiOpsDeadCritical",alertstate="firing"})
        eval_time: 15m
        exp_samples: [{value: 1}]
`,
    );
    // How many are dead is not known: the gauge is silent, the check is not.
    writeFileSync(
      join(cwd, 'unknown.yml'),
      `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
${[
  [3, 'OsapiOpsUnknown'],
  [1, 'OsapiOpsDeadWarning'],
  [2, 'OsapiOpsDeadCritical'],
]
  .map(
    ([status, alert]) => `  - interval: 1m
    input_series:
      - {series: osapi_ops_up, values: 1x40}
      - {series: 'osapi_ops_health_status{system="osapi"}', values: 1x40}
      - {series: 'osapi_ops_check_status{system="osapi",check="dead",resource="REQUESTS"}', values: ${status}x40}
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{alertstate="firing"})
        eval_time: 30m
        exp_samples: [{labels: '{alertname="${alert}"}', value: 1}]`,
  )
  .join('\n')}
`,
    );
    const tested = promtool('test', 'rules', 'cases.yml', 'unknown.yml');
    expect(`${tested.stdout}${tested.stderr}`).toContain('SUCCESS');
  });

  test('alerts --json is the same as data, and --docs says where the pages are', async () => {
    const { stdout } = await runCli(['monitoring', 'alerts', PROD, '--json', '--docs', 'https://x.example/c'], {
      cwd,
      env,
    });
    const [group] = JSON.parse(stdout).groups;
    expect(group.name).toBe('osapi-ops osapi');
    expect(group.rules.at(-1).annotations.runbook_url).toMatch(/^https:\/\/x\.example\/c#check_/);
  });

  test('grafana prints a dashboard; without a spec for every system, and says so', async () => {
    const { code, stdout, stderr } = await runCli(['monitoring', 'grafana'], { cwd, env });
    expect({ code, title: JSON.parse(stdout).title }).toEqual({ code: 0, title: 'JetStream work queues: all systems' });
    expect(stderr).toContain('for every system');
  });

  test('two specs are one too many', async () => {
    expect(await runCli(['monitoring', 'grafana', PROD, 'other.yaml'], { cwd, env })).toMatchObject({
      code: 64,
      stdout: '',
    });
  });
});
