import { isUtf8 } from 'node:buffer';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { rejectOnAbort } from '../../../process/abort.ts';
import { toHost, toPort } from './allow-list.ts';
import type { RedisHost } from '../../../config/redis-servers.ts';
import { checkAddress, resolveAddress } from './guard.ts';
import { ACCEPTED_CODINGS, readBody, type Body } from './read-body.ts';

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface HttpResponse {
  status: number;
  statusText: string;
  /** Several values of one name are joined by commas. */
  headers: Record<string, string>;
  body: Body;
}

/**
 * Sends one request and reads its response; follows no redirect. It checks the address of the open connection before it
 * sends anything.
 * @throws ToolRefusal if the address may not be reached; a system error if the connection fails; the abort reason
 */
export async function exchange(
  request: HttpRequest,
  redis: readonly RedisHost[],
  signal: AbortSignal,
): Promise<HttpResponse> {
  const socket = await connect(request.url, redis, signal);
  try {
    const send = request.url.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = send(request.url, {
      method: request.method,
      headers: {
        'accept-encoding': ACCEPTED_CODINGS,
        'user-agent': 'haiku-fleet',
        ...request.headers,
        connection: 'close',
      },
      createConnection: () => socket,
      agent: false,
      signal,
    });
    outgoing.end(request.body);
    const [response] = (await once(outgoing, 'response', { signal })) as [IncomingMessage];
    outgoing.on('error', ignore); // the response reports later errors too
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: toReadableHeaders(response.headers),
      body: await readBody(response),
    };
  } finally {
    socket.destroy();
  }
}

async function connect(url: URL, redis: readonly RedisHost[], signal: AbortSignal): Promise<Socket> {
  const host = await rejectOnAbort(resolveAddress(url, redis), signal); // the look-up of a name cannot be aborted
  const port = toPort(url);
  const plain = connectPlain({ host, port, signal });
  const ends: Socket[] = [plain];
  try {
    await once(plain, 'connect', { signal });
    await checkAddress(plain.remoteAddress ?? '0.0.0.0', port, redis);
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

/** Node reads headers as Latin-1; many servers send UTF-8 in them. */
function toReadableHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const bytes = Buffer.from(String(value), 'latin1');
      return [name, isUtf8(bytes) ? bytes.toString('utf8') : String(value)];
    }),
  );
}
