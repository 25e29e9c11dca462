import { describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';

const help = async (columns: number, ...args: string[]) => {
  const { code, stdout } = await runCli([...args, '--help'], { env: { OCLIF_COLUMNS: String(columns) } });
  expect(code).toBe(0);
  return stdout;
};

describe('help', () => {
  test('groups every command by what it is for', async () => {
    const text = await help(100);
    expect(text).toMatch(/\nPROVISION\n {2}init .*\n/);
    expect(text).not.toContain('OTHERS');
    expect(text).not.toContain('TOPICS');
  });

  test('says how, what and an example before the details', async () => {
    const text = await help(100, 'convert');
    const headers = text.split('\n').filter((line) => /^[A-Z ]+$/.test(line) && line !== '');
    expect(headers).toEqual(['USAGE', 'DESCRIPTION', 'EXAMPLES', 'ARGUMENTS', 'FLAGS', 'OUTPUT FLAGS', 'VARIABLES']);
    expect(text).toContain('$ osapi-ops convert FILE... [FLAGS]\n');
  });

  test('breaks its text at the width of the terminal, and nowhere else', async () => {
    expect(await help(400, 'convert')).toMatch(/Reads stream .* Prints one spec on stdout\./);
    const narrow = (await help(60, 'convert')).split('\n').filter((line) => !line.includes('$'));
    expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('names a default, and a variable only where it does not follow from the flag', async () => {
    const text = await help(200, 'apply');
    expect(text).toContain('(default 30s)');
    expect(text).toContain('(OSAPI_OPS_SPEC)');
    expect(text).toContain('(NATS_URL)');
    expect(text).not.toContain('OSAPI_OPS_ADOPT');
    expect(text).toContain('--dry-run is OSAPI_OPS_DRY_RUN=1.');
  });
});
