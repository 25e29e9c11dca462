import { headers } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import type { Nats } from './connect.ts';
import { cleanText } from './redact.ts';

/** What a stream answers to a publish it stored. */
export interface PubAck {
  readonly stream: string;
  readonly seq: number;
  readonly duplicate?: boolean;
}

/**
 * Publishes a message and waits until a stream has stored it. `id` becomes its Nats-Msg-Id.
 * @throws OpsError SERVER_REFUSED where the stream does not take it; CONN_*, DENIED_SUBJECT
 */
export async function publish(nats: Nats, subject: string, payload: string, id: string): Promise<PubAck> {
  const extra = headers();
  extra.set('Nats-Msg-Id', id);
  const answer = (await nats.request(subject, payload, { headers: extra })).json<
    PubAck & { error?: { err_code: number; description: string } }
  >();
  if (answer.error) {
    throw new OpsError(
      'SERVER_REFUSED',
      `the stream did not take the message: ${cleanText(answer.error.description)}`,
      {
        where: subject,
        why: `err_code ${answer.error.err_code}`,
      },
    );
  }
  return answer;
}
