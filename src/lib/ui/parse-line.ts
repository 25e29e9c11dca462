import { parse } from '@oclif/core/parser';
import { markValues, unmarkError, unmarkFlags } from './dashed-values.ts';
import { isParserError, usageError } from './parser-error.ts';

type Definitions = NonNullable<Parameters<typeof parse>[1]['flags']>;

/**
 * Reads words as the flags of a command, by the parser of a typed line and with its faults.
 * @throws OpsError USAGE
 */
export async function parseFlags(
  command: string,
  definitions: object,
  words: readonly string[],
): Promise<Record<string, unknown>> {
  try {
    const { flags } = await parse(markValues(words), { flags: definitions as Definitions, strict: true });
    return unmarkFlags(flags);
  } catch (thrown) {
    const error = unmarkError(thrown);
    throw isParserError(error) ? usageError(error, command, Object.keys(definitions)) : error;
  }
}
