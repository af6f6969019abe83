import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { rejectOnAbort } from '../../../process/abort.ts';
import { checkAddress, resolveAddress, toHost, toPort, type HttpRules } from './guard.ts';

/** Most bytes of a response that are read. */
export const BODY_CAP = 256 * 1024;

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface HttpResponse {
  status: number;
  statusText: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Whether the body is longer than `BODY_CAP` and was cut. */
  isCut: boolean;
}

/**
 * Sends one request and reads its response; follows no redirect. It checks the address of the open connection before it
 * sends anything.
 * @throws ToolRefusal if the address may not be reached; a system error if the connection fails; the abort reason
 */
export async function exchange(request: HttpRequest, rules: HttpRules, signal: AbortSignal): Promise<HttpResponse> {
  const socket = await connect(request.url, rules, signal);
  try {
    const send = request.url.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = send(request.url, {
      method: request.method,
      headers: { 'accept-encoding': 'identity', 'user-agent': 'haiku-fleet', ...request.headers, connection: 'close' },
      createConnection: () => socket,
      agent: false,
      signal,
    });
    outgoing.end(request.body);
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage];
    outgoing.on('error', ignore); // the response reports later errors too
    const { body, isCut } = await readBody(response);
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: response.headers,
      body,
      isCut,
    };
  } finally {
    socket.destroy();
  }
}

async function connect(url: URL, rules: HttpRules, signal: AbortSignal): Promise<Socket> {
  const host = await rejectOnAbort(resolveAddress(url, rules), signal); // the look-up of a name cannot be aborted
  const port = toPort(url);
  const plain = connectPlain({ host, port, signal });
  const ends: Socket[] = [plain];
  try {
    await once(plain, 'connect', { signal });
    await checkAddress(plain.remoteAddress ?? '0.0.0.0', port, rules);
    if (url.protocol !== 'https:') return plain;
    const name = toHost(url);
    const secure = connectTls({ socket: plain, host: name, ...(isIP(name) === 0 ? { servername: name } : {}) });
    ends.push(secure);
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    for (const end of ends) end.on('error', ignore); // the request reports it too; an error event without a listener would end the process
  }
}

function ignore(): void {}

async function readBody(response: IncomingMessage): Promise<{ body: Buffer; isCut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes: Buffer = chunk;
    chunks.push(bytes);
    length += bytes.length;
    if (length > BODY_CAP) break; // the caller destroys the socket, so the rest is not sent
  }
  return { body: Buffer.concat(chunks).subarray(0, BODY_CAP), isCut: length > BODY_CAP };
}
