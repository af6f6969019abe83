import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as askHttp } from 'node:http';
import { createServer, request as askHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from './folder.ts';

export const PROXY_NAME = 'fleet.example.org';

export interface ProxyOptions {
  /** The path below which it shows the dashboard; empty: none. */
  prefix: string;
  /** Whether it removes the prefix before it passes a request on. */
  strips: boolean;
  /** Whether it passes the browser's `Host` on, as with nginx's `proxy_set_header Host $host`. */
  keepsHost: boolean;
}

/** A reverse proxy for TLS, as nginx or Caddy would be. */
export interface HttpsProxy {
  port: number;
  /** For DASHBOARD_PUBLIC_URL. */
  url: string;
  /** Names the server behind it. */
  passTo(port: number): void;
  close(): Promise<void>;
}

export async function startHttpsProxy({ prefix, strips, keepsHost }: ProxyOptions): Promise<HttpsProxy> {
  let target = 0;
  const server = createServer(makeCertificate(), (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (prefix !== '' && path !== prefix && !path.startsWith(`${prefix}/`) && !path.startsWith(`${prefix}?`)) {
      return outgoing.writeHead(404).end('another program');
    }
    const rest = strips ? path.slice(prefix.length) : path;
    const sent = askHttp({
      host: '127.0.0.1',
      port: target,
      method: incoming.method,
      path: rest.startsWith('/') ? rest : `/${rest}`,
      headers: {
        ...incoming.headers,
        ...(keepsHost ? {} : { host: `127.0.0.1:${target}` }),
        'x-forwarded-proto': 'https',
        'x-forwarded-for': incoming.socket.remoteAddress,
      },
    });
    sent.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    sent.on('error', () => outgoing.headersSent || outgoing.writeHead(502).end('bad gateway'));
    incoming.pipe(sent);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://${PROXY_NAME}:${port}${prefix}`,
    passTo: (to) => void (target = to),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface ProxiedAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Asks through the proxy, as a program that trusts its certificate. */
export function askProxy(
  proxy: HttpsProxy,
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<ProxiedAnswer> {
  return new Promise((resolve, reject) => {
    const sent = askHttps({
      host: '127.0.0.1',
      port: proxy.port,
      servername: PROXY_NAME,
      rejectUnauthorized: false, // its certificate is the test's own
      path,
      method,
      headers: { host: `${PROXY_NAME}:${proxy.port}`, ...headers },
      agent: false,
    });
    sent.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

function makeCertificate(): { key: string; cert: string } {
  const folder = makeFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', `/CN=${PROXY_NAME}`, '-days', '1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
