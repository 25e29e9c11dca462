// Everything that is made from the code: which file, and what its text should be.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHECKS_PAGE_FILE, checksPageText } from './checks-page.ts';
import { brokenCodes, CODES_FILE, type Codes, codesText, readCodes } from './codes-file.ts';
import { COMMANDS_PAGE_FILE, commandsPageText } from './commands-page.ts';
import { ENVIRONMENT_PAGE_FILE, environmentPageText } from './environment-page.ts';
import { EXIT_CODES_PAGE_FILE, exitCodesPageText } from './exit-codes-page.ts';
import { JSON_PAGE_FILE, jsonPageText } from './json-page.ts';
import { METRICS_PAGE_FILE, metricsPageText } from './metrics-page.ts';
import { RESULTS_DIR, resultFiles } from './result-files.ts';
import { RULES_PAGE_FILE, rulesPageText } from './rules-page.ts';
import { SPEC_PAGE_FILE, specPageText } from './spec-page.ts';
import { SPEC_SCHEMA_FILE, specSchemaText } from './spec-schema.ts';
import { ROOT, readSurface } from './surface.ts';
import { breaks, type Snapshot, SURFACE_FILE, snapshotOf, surfaceText } from './surface-file.ts';

export interface Artifact {
  /** Relative to the project. */
  readonly file: string;
  readonly text: string;
  /** What would break users of the file as it is now; empty where nothing does. */
  readonly breaks: readonly string[];
}

export const pathOf = ({ file }: Artifact): string => `${ROOT}${file}`;

const kept = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/** True where the file on disk is not what the code makes of it. */
export const isStale = (artifact: Artifact): boolean => kept(pathOf(artifact)) !== artifact.text;

export async function makeArtifacts(): Promise<readonly Artifact[]> {
  const surface = await readSurface();
  const before = kept(SURFACE_FILE);
  const codes = readCodes();
  const codesBefore = kept(CODES_FILE);
  const artifact = (path: string, text: string, broken: readonly string[] = []): Artifact => ({
    file: path.slice(ROOT.length),
    text,
    breaks: broken,
  });
  return [
    artifact(SPEC_SCHEMA_FILE, specSchemaText()),
    artifact(SPEC_PAGE_FILE, specPageText()),
    artifact(RULES_PAGE_FILE, rulesPageText()),
    artifact(COMMANDS_PAGE_FILE, commandsPageText(surface)),
    artifact(ENVIRONMENT_PAGE_FILE, environmentPageText(surface)),
    artifact(EXIT_CODES_PAGE_FILE, exitCodesPageText()),
    artifact(JSON_PAGE_FILE, jsonPageText()),
    artifact(METRICS_PAGE_FILE, metricsPageText()),
    artifact(CHECKS_PAGE_FILE, checksPageText()),
    artifact(
      SURFACE_FILE,
      surfaceText(surface),
      before === undefined ? [] : breaks(JSON.parse(before) as Snapshot, snapshotOf(surface)),
    ),
    artifact(
      CODES_FILE,
      codesText(codes),
      codesBefore === undefined ? [] : brokenCodes(JSON.parse(codesBefore) as Codes, codes),
    ),
    ...resultFiles().map(({ name, text, lost }) =>
      artifact(fileURLToPath(new URL(name, RESULTS_DIR)), text, lost(kept)),
    ),
  ];
}
