import { type Config, isObject, type Json } from '../model/json.ts';
import type { Spec } from '../model/spec.ts';
import { type AssembleOptions, placeFound } from './assemble.ts';
import { readDocuments } from './documents.ts';
import type { ForeignFile, LeftOut, Reading } from './found.ts';
import { isManifest, readNack } from './nack.ts';
import { readNatsCli } from './nats-cli.ts';

export interface Conversion {
  readonly spec: Spec;
  /** In the order of the files. */
  readonly leftOut: readonly LeftOut[];
}

/** Foreign files as one spec, and everything in them that has no place in a spec. Never throws. */
export function convertFiles(files: readonly ForeignFile[], options: AssembleOptions): Conversion {
  const readings = files.map(readFile);
  const assembled = placeFound(
    readings.flatMap(({ found }) => found),
    options,
  );
  const rows = [...readings.flatMap(({ leftOut }) => leftOut), ...assembled.leftOut];
  const rank = new Map(files.map(({ file }, index) => [file, index]));
  return { spec: assembled.spec, leftOut: rows.sort((a, b) => rank.get(a.file)! - rank.get(b.file)!) };
}

function readFile({ file, text }: ForeignFile): Reading {
  const documents = readDocuments(text);
  const readings = documents.map((document, index): Reading => {
    const path = documents.length > 1 ? `document ${index + 1}` : '';
    if ('value' in document) return readValue(document.value, file, path);
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

function readValue(value: Json, file: string, path: string): Reading {
  if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
    return join(value.map((item, index) => readObject(item, file, `item ${index + 1}`)));
  }
  if (isObject(value)) return readObject(value, file, path);
  const names = Array.isArray(value) && value.every((item) => typeof item === 'string');
  const why = names
    ? 'a list of names only; give the info of each, as `nats stream info NAME --json` writes it'
    : 'neither a configuration of the nats CLI nor a manifest of NACK';
  return { found: [], leftOut: [{ file, path, why }] };
}

function readObject(value: Config, file: string, path: string): Reading {
  if (isManifest(value)) return readNack(value, file);
  const reading = readNatsCli(value, file);
  if (reading) return reading;
  const keys = Object.keys(value).slice(0, 5).join(', ');
  const why = isSpec(value)
    ? 'this is a spec already'
    : `neither a configuration of the nats CLI nor a manifest of NACK (its keys: ${keys || 'none'})`;
  return { found: [], leftOut: [{ file, path, why }] };
}

const isSpec = (value: Config): boolean =>
  value.version === 1 && (isObject(value.queues) || isObject(value.streams) || isObject(value.buckets));
