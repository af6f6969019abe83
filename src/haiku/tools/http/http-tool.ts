import { z } from 'zod';
import { checkUrl, toReadableName } from './allow-list.ts';
import { toBodyText } from './body-text.ts';
import { exchange, type HttpRequest, type HttpResponse } from './exchange.ts';
import { BODY_CAP } from './read-body.ts';
import { errorCode, ToolRefusal } from '../tool-refusal.ts';
import { defineTool, type Tool, type ToolContext } from '../tool.ts';

const DEADLINE_MS = 30_000;
const MAX_REDIRECTS = 5;
/** Headers that the connection sets; the model may not. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*)$/i;
/** Response headers that the model sees. */
const SHOWN_HEADERS = [
  'content-type',
  'content-language',
  'content-disposition',
  'content-length',
  'content-range',
  'location',
  'link',
  'allow',
  'www-authenticate',
  'retry-after',
  'etag',
  'last-modified',
];
/** Headers that a redirect to another host keeps. */
const HARMLESS_HEADERS = /^(accept|accept-language|content-type|user-agent)$/i;

const inputSchema = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
  url: z.string().min(1).max(8_000),
  headers: z.record(z.string().max(200), z.string().max(8_000)).optional(),
  body: z
    .unknown()
    .refine((body) => typeof body === 'string' || isJsonValue(body), 'expected text, or a JSON object or array')
    .meta({ type: 'string', description: 'text; an object or array is sent as JSON' })
    .optional(),
});

/** Creates the tool that makes HTTP requests to the hosts of `FLEET_HTTP_ALLOW`. */
export function createHttpTool(deadlineMs = DEADLINE_MS): Tool {
  return defineTool({
    name: 'http',
    description: `Make an HTTP request to a host that <environment> names. Gives status, headers and at most ${BODY_CAP} bytes of body; redirects are followed where allowed.`,
    input: inputSchema,
    async run(input, context) {
      const request = toRequest(input);
      const deadline = AbortSignal.timeout(deadlineMs);
      const signal = AbortSignal.any([context.signal, deadline]);
      try {
        const { response, url } = await follow(request, context, signal);
        return { content: toContent(response, url), isError: false };
      } catch (error) {
        context.signal.throwIfAborted();
        if (deadline.aborted) {
          throw new ToolRefusal(`http: ${request.url.host} gave no whole answer within ${deadlineMs / 1_000} s`, {
            cause: error,
          });
        }
        throw toHttpRefusal(error, request.url);
      }
    },
  });
}

function toRequest({ method, url, headers = {}, body }: z.output<typeof inputSchema>): HttpRequest {
  if (!URL.canParse(url)) throw new ToolRefusal(`http: ${JSON.stringify(url)} is not an address`);
  for (const [name, value] of Object.entries(headers)) {
    if (OWN_HEADERS.test(name))
      throw new ToolRefusal(`http: the header ${JSON.stringify(name)} is set by the connection; leave it out`);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new ToolRefusal(`http: the header ${JSON.stringify(name)} has characters that a header may not have`);
    }
  }
  if (body === undefined || ['GET', 'HEAD'].includes(method)) {
    return { method, url: new URL(url), headers, body: undefined };
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = Buffer.byteLength(text);
  if (length > BODY_CAP) throw new ToolRefusal(`http: the body has ${length} bytes, at most ${BODY_CAP} are sent`);
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const type: Record<string, string> =
    typeof body === 'string' || hasType ? {} : { 'content-type': 'application/json' };
  return { method, url: new URL(url), headers: { ...headers, ...type, 'content-length': String(length) }, body: text };
}

function isJsonValue(body: unknown): boolean {
  return typeof body === 'object' && body !== null;
}

/** Sends the request and follows redirects. Each address is checked as the first. */
async function follow(
  first: HttpRequest,
  context: ToolContext,
  signal: AbortSignal,
): Promise<{ response: HttpResponse; url: URL }> {
  let request = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    checkUrl(request.url, context.httpAllow);
    await context.stillMine?.();
    const response = await exchange(request, context.redisHosts(), signal);
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) {
      return { response, url: request.url };
    }
    request = redirect(request, response.status, location);
  }
  throw new ToolRefusal(`http: ${first.url.host} redirected more than ${MAX_REDIRECTS} times`);
}

function redirect(request: HttpRequest, status: number, location: string): HttpRequest {
  if (!URL.canParse(location, request.url.href)) {
    throw new ToolRefusal(
      `http: ${request.url.host} redirected to ${JSON.stringify(location)}, which is not an address`,
    );
  }
  const url = new URL(location, request.url);
  const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
  const headers = Object.entries(request.headers).filter(
    ([name]) =>
      (url.origin === request.url.origin || HARMLESS_HEADERS.test(name) || name === 'content-length') &&
      !(becomesGet && /^content-/i.test(name)),
  );
  return {
    method: becomesGet && request.method !== 'HEAD' ? 'GET' : request.method,
    url,
    headers: Object.fromEntries(headers),
    body: becomesGet ? undefined : request.body,
  };
}

function toContent({ status, statusText, headers, body }: HttpResponse, url: URL): string {
  const lines = SHOWN_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
  const { bytes, isCut, isEncoded, problem } = body;
  const read = isEncoded ? { text: null, note: null } : toBodyText(bytes, headers['content-type'] ?? '', isCut);
  const text = read.text ?? `[binary body of ${isCut ? 'more than ' : ''}${bytes.length} bytes]`;
  const notes = [
    ...(problem === null ? [] : [problem]),
    ...(read.note === null ? [] : [read.note]),
    ...(isCut ? [`cut: only the first ${bytes.length} bytes of the body were read`] : []),
  ];
  const name = toReadableName(url);
  const note = notes.map((line) => `[${line}]\n`).join('');
  return `${url.href}${name === null ? '' : ` (${name})`}\nHTTP ${status} ${statusText}\n${lines.join('\n')}\n${note}\n${text}`;
}

/** Turns a network error into a refusal. Any other error is returned as it is. */
function toHttpRefusal(error: unknown, url: URL): unknown {
  const code = errorCode(error);
  if (error instanceof ToolRefusal || code === undefined) return error;
  return new ToolRefusal(`http: ${url.host} cannot be reached or broke off: ${code}`, { cause: error });
}
