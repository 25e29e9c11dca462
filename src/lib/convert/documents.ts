import { parseAllDocuments } from 'yaml';
import { type Json, jsonIn } from '../model/json.ts';

/** One value of a foreign file, or why there is none. */
export type ForeignDocument = { readonly value: Json } | { readonly why: string; readonly line?: number };

/** Deeper than any configuration or manifest is, and no stack is in danger. */
const DEEPEST = 64;

/** Repeats of one anchor beyond this are a bomb, not a manifest. */
const MOST_ALIASES = 100;

/** Reads JSON, or YAML with any number of documents. Never throws: what cannot be read says why. */
export function readDocuments(text: string): ForeignDocument[] {
  const body = text.replace(/^\uFEFF/, '');
  if (body.trim() === '') return [{ why: 'the file is empty' }];
  if (body.includes('\0')) return [{ why: 'this is no text: it holds zero bytes' }];
  const json = readJson(body);
  return (json ? [json] : readYaml(body)).map(checkDepth);
}

/** Anything that begins as JSON and is JSON; the rest may still be YAML's flow style. */
function readJson(text: string): ForeignDocument | undefined {
  const value = /^\s*[[{]/.test(text) ? jsonIn(text) : undefined;
  return value === undefined ? undefined : { value: value as Json };
}

function readYaml(text: string): ForeignDocument[] {
  try {
    // An array also where the stream is empty, which the types tell apart.
    const documents = [...parseAllDocuments(text, { logLevel: 'error' })];
    return documents.flatMap((document): ForeignDocument[] => {
      const [error] = document.errors;
      if (error) return [{ why: firstLine(error.message), line: error.linePos?.[0].line }];
      const value = document.toJS({ maxAliasCount: MOST_ALIASES }) as Json;
      return value === null ? [] : [{ value }];
    });
  } catch (error) {
    return [{ why: `neither JSON nor YAML: ${firstLine(error instanceof Error ? error.message : String(error))}` }];
  }
}

const firstLine = (text: string): string => text.split('\n')[0]!.replace(/:$/, '');

function checkDepth(document: ForeignDocument): ForeignDocument {
  if (!('value' in document)) return document;
  let level: unknown[] = [document.value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return { why: `nested deeper than ${DEEPEST} levels` };
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return document;
}
