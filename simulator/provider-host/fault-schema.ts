import { z } from 'zod';

/** The answer is made, and mostly billed, but does not arrive well. `deliver.ts` carries these out. */
export const TRANSPORT_FAULTS = [
  'reset-before', // the connection is reset before the request is served: not billed
  'reset-after', // the connection is reset after the request is served, before the first byte of the answer
  'slow-headers', // the answer starts `delayMs` later than usual
  'stalled-body', // status and headers, then nothing
  'slow-body', // the answer arrives in pieces over `delayMs`
  'html', // 200 with a page of a gateway that never forwarded the request: not billed
  'broken-json', // 200, cut in the middle
  'empty-object', // 200, `{}`
] as const;

/**
 * A stream begins and does not end well. The point is `afterEvents` or `afterCharacters`, else the middle. Billed are the
 * prompt and what was sent. These change nothing for a request that does not stream.
 */
export const STREAM_FAULTS = [
  'stall', // nothing more, until the client leaves
  'pings-only', // a ping every `delayMs`, until the client leaves
  'overloaded-mid-stream', // an error event: overloaded
  'error-mid-stream', // an error event of `errorType`
  'cut', // the body ends without the events that end a message
  'reset-mid-stream', // the connection closes before the body ends
] as const;

/** Conditions that the faults of every provider have. A fault hits the requests that meet all given conditions. */
export const COMMON_CONDITIONS = {
  model: z.string().optional(),
  turn: z.int().min(0).optional(), // messages of the model already in the conversation
  promptIncludes: z.string().min(1).optional(), // in any text of the conversation
  nth: z.int().min(1).optional(), // only the n-th request that meets the conditions above, from 1
  everyNth: z.int().min(1).optional(), // every n-th of those requests
  probability: z.number().min(0).max(1).optional(), // drawn from the simulator's seed
};

/** Fields that the faults of every provider have, besides `kind` and `when`. */
export const COMMON_FIELDS = {
  times: z.int().min(1).optional(), // most requests it hits; absent: no limit
  delayMs: z.int().min(0).default(1_000),
  message: z.string().optional(), // of the error, instead of the usual one
  afterEvents: z.int().min(0).optional(), // of a stream; 0: the status and headers only
  afterCharacters: z.int().min(0).optional(), // of content in a stream
};
