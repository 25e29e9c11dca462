import { type Config, isObject, type Json } from '../model/json.ts';
import type { Spec } from '../model/spec.ts';
import { type AssembleOptions, placeFound } from './assemble.ts';
import { readDocuments } from './documents.ts';
import type { ForeignFile, LeftOut, Reading } from './found.ts';
import { isManifest, readNack } from './nack.ts';
import { readNatsCli } from './nats-cli.ts';
import { isTerraform, readTerraform } from './terraform.ts';

export interface Conversion {
  readonly spec: Spec;
  /** In the order of the files. */
  readonly leftOut: readonly LeftOut[];
  /** Where the system's name is a guess: the owner marks in the files, none or several. */
  readonly guessedBeside?: readonly string[];
}

/** Foreign files as one spec, and everything in them that has no place in a spec. Never throws. */
export function convertFiles(files: readonly ForeignFile[], options: AssembleOptions): Conversion {
  const readings = files.map((each) => readFile(each, options.stream));
  const assembled = placeFound(
    readings.flatMap(({ found }) => found),
    options,
  );
  const rows = [...readings.flatMap(({ leftOut }) => leftOut), ...assembled.leftOut];
  const rank = new Map(files.map(({ file }, index) => [file, index]));
  return { ...assembled, leftOut: rows.sort((a, b) => rank.get(a.file)! - rank.get(b.file)!) };
}

function readFile({ file, text }: ForeignFile, stream: string | undefined): Reading {
  const documents = readDocuments(text);
  const readings = documents.map((document, index): Reading => {
    const path = documents.length > 1 ? `document ${index + 1}` : '';
    if ('value' in document) return readValue(document.value, { file, path, stream });
    const at = document.line === undefined ? [] : [`line ${document.line}`];
    return { found: [], leftOut: [{ file, path: [path, ...at].filter(Boolean).join(', '), why: document.why }] };
  });
  const reading = join(readings);
  const isSilent = reading.found.length === 0 && reading.leftOut.length === 0;
  return isSilent ? { found: [], leftOut: [{ file, path: '', why: 'there is nothing in it' }] } : reading;
}

const join = (readings: readonly Reading[]): Reading => ({
  found: readings.flatMap(({ found }) => found),
  leftOut: readings.flatMap(({ leftOut }) => leftOut),
});

interface Place {
  readonly file: string;
  readonly path: string;
  /** The name of a stream whose file has none. */
  readonly stream: string | undefined;
}

function readValue(value: Json, place: Place): Reading {
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
    return join(value.map((item, index) => readObject(item, { ...place, path: `item ${index + 1}` })));
  }
  if (isObject(value)) return readObject(value, place);
  const names = Array.isArray(value) && value.every((item) => typeof item === 'string');
  const why = names
    ? 'a list of names only; give the info of each, as `nats stream info NAME --json` writes it'
    : NEITHER;
  return { found: [], leftOut: [{ file: place.file, path: place.path, why }] };
}

const NEITHER = 'no configuration of the nats CLI, no manifest of NACK and no `terraform show -json`';

function readObject(value: Config, { file, path, stream }: Place): Reading {
  if (isManifest(value)) return readNack(value, file);
  if (isTerraform(value)) return readTerraform(value, file);
  const reading = readNatsCli(value, file, stream);
  if (reading) return reading;
  const keys = Object.keys(value).slice(0, 5).join(', ');
  const why = isSpec(value) ? 'this is a spec already' : `${NEITHER} (its keys: ${keys || 'none'})`;
  return { found: [], leftOut: [{ file, path, why }] };
}

const isSpec = (value: Config): boolean =>
  value.version === 1 && (isObject(value.queues) || isObject(value.streams) || isObject(value.buckets));
