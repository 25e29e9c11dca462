import type { Refused } from '../../facts/refusals.ts';
import type { Config } from '../../model/json.ts';
import type { Path } from '../tree.ts';
import type { Found } from './rule.ts';
import { called, type View } from './view.ts';

const toFound = (path: Path, message: string, { field, hint, instead }: Refused): Found => ({
  path: [...path, field],
  message,
  hint: `${hint}.`,
  ...(instead === undefined ? {} : { mend: { write: instead } }),
});

/** What the server refuses of the streams. */
export const refusedStreams = ({ streams }: View, refused: (config: Config) => readonly Refused[]): Found[] =>
  streams.flatMap(({ config, path }) => refused(config).map((each) => toFound(path, each.message, each)));

/** What the server refuses of the consumers. */
export const refusedConsumers = (
  { consumers }: View,
  refused: (config: Config, stream: Config) => readonly Refused[],
): Found[] =>
  consumers.flatMap((consumer) =>
    refused(consumer.config, consumer.stream.config).map((each) =>
      toFound(consumer.path, `consumer ${called(consumer)}: ${each.message}`, each),
    ),
  );
