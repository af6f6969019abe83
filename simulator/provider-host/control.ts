import { z } from 'zod';
import { type Exchange, readBody, sendJson } from './exchange.ts';
import { parseJson } from './json.ts';

const MAX_CONFIG_BYTES = 32 * 1024 * 1024;

/** How another process reads and configures a simulated provider. */
export interface Control<Schema extends z.ZodType> {
  /** Path of the endpoint, such as `/__simulator`. */
  root: string;
  /** The body of `GET <root>/<name>`, by name. */
  reads: Record<string, (query: URLSearchParams) => object>;
  /** What `POST <root>/config` takes. */
  schema: Schema;
  configure: (config: z.output<Schema>) => void;
}

/** Answers one control request; false for a path that is not the control's. */
export type AnswerControl = (exchange: Exchange, url: URL) => Promise<boolean>;

/** A configuration that breaks the schema is answered with a 400 and changes nothing. */
export function createControl<Schema extends z.ZodType>(control: Control<Schema>): AnswerControl {
  const { root, reads, schema, configure } = control;
  return async (exchange, url) => {
    const request = `${exchange.req.method} ${url.pathname}`;
    const name = Object.keys(reads).find((one) => request === `GET ${root}/${one}`);
    const read = name === undefined ? undefined : reads[name];
    if (read !== undefined) {
      sendJson(exchange, 200, read(url.searchParams));
      return true;
    }
    if (request !== `POST ${root}/config`) return false;
    const parsed = schema.safeParse(parseOrNull(await readBody(exchange.req, MAX_CONFIG_BYTES)));
    if (parsed.success) configure(parsed.data);
    sendJson(exchange, parsed.success ? 200 : 400, parsed.success ? {} : { error: z.prettifyError(parsed.error) });
    return true;
  };
}

function parseOrNull(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch {
    return null; // the schema's error names what it expects
  }
}
