import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHttpTool } from '../../../src/haiku/tools/http/http-tool.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let site: ToolWorkspace;
let server: Server;
let other: Server;
let handle: Handler;
let handleOther: Handler;
let asked: string[];

const portOf = (of: { address(): AddressInfo | string | null }): number => {
  const address = of.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
const http = async (input: object) => await site.use('http', { method: 'GET', ...input });

beforeEach(async () => {
  asked = [];
  const serve = (current: () => Handler): Server =>
    createServer((request, response) => {
      asked.push(`${request.method} ${request.headers.host}${request.url}`);
      current()(request, response);
    });
  server = serve(() => handle).listen(0, '127.0.0.1');
  other = serve(() => handleOther).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(other, 'listening')]);
  site = await createToolWorkspace({ httpAllow: [`127.0.0.1:${portOf(server)}`, `localhost:${portOf(server)}`] });
});
afterEach(async () => {
  for (const open of [server, other]) {
    open.closeAllConnections();
    open.close();
    await once(open, 'close');
  }
});

/** Serves one body with these headers. */
const serveBody = (body: Buffer | string, headers: Record<string, string> = {}): void => {
  handle = (_request, response) => response.writeHead(200, headers).end(body);
};
const own = (path = '/'): string => `http://127.0.0.1:${portOf(server)}${path}`;

test('sends a request and shows status, headers and body', async () => {
  handle = (request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, body, token: request.headers['x-token'] }));
    });
  };
  const outcome = await http({ method: 'POST', url: own('/things?x=1'), headers: { 'x-token': 't' }, body: 'é' });
  expect(outcome.isError).toBe(false);
  expect(outcome.content).toContain('HTTP 201 Created\ncontent-type: application/json');
  expect(outcome.content).toContain('{"method":"POST","body":"é","token":"t"}');
});

test('shows an error status as an answer, not as a failure of the tool', async () => {
  handle = (_request, response) => response.writeHead(503).end('busy');
  expect(await http({ url: own() })).toMatchObject({ isError: false, content: expect.stringContaining('HTTP 503') });
});

test('reaches an allowed name', async () => {
  handle = (_request, response) => response.end('hello');
  expect((await http({ url: `http://LOCALHOST:${portOf(server)}/` })).content).toContain('hello');
});

test('refuses what is not on the list, before any byte is sent', async () => {
  handleOther = (_request, response) => response.end('never');
  for (const url of [
    `http://127.0.0.1:${portOf(other)}/`,
    `http://127.0.0.1/`,
    `http://127.0.0.1.:${portOf(other)}/`,
    `http://[::ffff:127.0.0.1]:${portOf(other)}/`,
    `http://2130706433:${portOf(other)}/`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    `http://user:pass@127.0.0.1:${portOf(server)}/`,
    'no address',
  ]) {
    expect((await http({ url })).isError, url).toBe(true);
  }
  expect(asked).toEqual([]);
});

test.each([
  '169.254.169.254',
  '[fe80::1]',
  '[::ffff:a9fe:a9fe]',
  '[fd00:ec2::254]',
  '0.0.0.0',
  '[::]',
  '100.100.100.200',
])('never reaches %s, even when the list allows it', async (host) => {
  site.context.httpAllow = [host];
  const outcome = await http({ url: `http://${host}/` });
  expect(outcome.content).toContain('never reached');
});

test('never reaches the Redis, by none of its names', async () => {
  const redis = createTcpServer(() => asked.push('redis')).listen(0);
  await once(redis, 'listening');
  const port = portOf(redis);
  site.context.redisHosts = () => [{ host: 'localhost', port }];
  for (const host of ['127.0.0.1', '127.0.0.2', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]']) {
    site.context.httpAllow = [`${host}:${port}`, new URL(`http://${host}:${port}`).host];
    expect((await http({ url: `http://${host}:${port}/` })).content, host).toContain('Redis');
  }
  expect(asked).toEqual([]);
  redis.close();
  await once(redis, 'close');
});

test('follows redirects that are allowed, and checks each', async () => {
  handle = (request, response) => {
    if (request.url === '/start') response.writeHead(302, { location: '/end' }).end();
    else if (request.url === '/away') response.writeHead(302, { location: `http://127.0.0.1:${portOf(other)}/` }).end();
    else if (request.url === '/meta') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else response.end('arrived');
  };
  expect((await http({ url: own('/start') })).content).toContain('arrived');
  for (const path of ['/away', '/meta', '/file', '/loop']) expect((await http({ url: own(path) })).isError).toBe(true);
  expect(asked.some((line) => line.includes(`:${portOf(other)}`))).toBe(false);
});

test('takes no key along to another host', async () => {
  site.context.httpAllow.push(`127.0.0.1:${portOf(other)}`);
  let seen: IncomingMessage['headers'] = {};
  handle = (_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${portOf(other)}/` }).end();
  handleOther = (request, response) => {
    seen = request.headers;
    response.end();
  };
  await http({ url: own(), headers: { Authorization: 'Bearer x', 'X-Api-Key': 'x', Accept: 'text/plain' } });
  expect(seen).toMatchObject({ accept: 'text/plain' });
  expect(seen).not.toHaveProperty('authorization');
  expect(seen).not.toHaveProperty('x-api-key');
});

test('refuses headers that change the connection or smuggle another request', async () => {
  for (const headers of [{ Host: 'x' }, { 'Transfer-Encoding': 'chunked' }, { 'x-a': 'b\r\nx-c: d' }, { 'x a': 'b' }]) {
    expect((await http({ url: own(), headers })).isError).toBe(true);
  }
  expect(asked).toEqual([]);
});

test('reads a bounded part of an endless body', async () => {
  handle = (_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  const { content } = await http({ url: own() });
  expect(content).toContain('HTTP 200');
  expect(content.length).toBeLessThanOrEqual(64 * 1024);
});

test('names a binary body instead of showing it', async () => {
  handle = (_request, response) => response.end(Buffer.from([0, 255, 1]));
  expect((await http({ url: own() })).content).toContain('[binary body of 3 bytes]');
});

const page = '<html><p>größer 日本</p>';

test.each<[string, Buffer | string, string]>([
  ['UTF-8 without a word', page, 'text/html'],
  ['the charset of the type', Buffer.from('größer', 'latin1'), 'text/plain; charset=ISO-8859-1'],
  ['a quoted charset', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), 'text/html; charset="Shift_JIS"'],
  ['a euro sign that only Windows has', Buffer.from([0x80]), 'text/plain;charset=latin1'],
  ['a meta tag', Buffer.from('<!doctype html><meta charset="windows-1252">größer', 'latin1'), 'text/html'],
  ['an older meta tag', Buffer.from('<meta content="text/html; charset=iso-8859-1">größer', 'latin1'), ''],
  ['an XML declaration', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>größer</a>', 'latin1'), 'text/xml'],
  ['a byte order mark before the type', '\uFEFFgrößer', 'text/plain; charset=iso-8859-1'],
  ['UTF-16', Buffer.from('\uFEFFgrößer', 'utf16le'), 'text/csv'],
  ['JSON, whatever its type says', '{"a":"größer"}', 'application/json; charset=iso-8859-1'],
])('reads the right letters by %s', async (_how, body, type) => {
  serveBody(body, type === '' ? {} : { 'content-type': type });
  const { content } = await http({ url: own() });
  expect(content).toMatch(/größer|日本|€/);
  expect(content).not.toContain('\uFEFF');
});

test.each<[string, Buffer, string, RegExp]>([
  ['a guess', Buffer.from('größer', 'latin1'), 'text/plain', /read as windows-1252[\s\S]*größer/],
  ['wrong', Buffer.from('größer', 'latin1'), 'text/plain; charset=utf-8', /not all utf-8[\s\S]*gr\uFFFD/],
  ['unknown', Buffer.from('plain'), 'text/plain; charset=klingon', /"klingon" is not known[\s\S]*plain/],
])('says that a charset is %s', async (_what, body, type, said) => {
  serveBody(body, { 'content-type': type });
  expect((await http({ url: own() })).content).toMatch(said);
});

test.each<[string, Buffer]>([
  ['gzip', gzipSync(page)],
  ['x-gzip', gzipSync(page)],
  ['deflate', deflateSync(page)],
  ['deflate', deflateRawSync(page)],
  ['br', brotliCompressSync(page)],
  ['identity', Buffer.from(page)],
  ['gzip, br', brotliCompressSync(gzipSync(page))],
])('unpacks a body in %s', async (coding, body) => {
  serveBody(body, { 'content-encoding': coding, 'content-type': 'text/html' });
  expect((await http({ url: own() })).content).toMatch(/größer 日本<\/p>$/);
});

test('asks for the codings that it can undo, and leaves out the body of HEAD', async () => {
  let accepted: unknown;
  handle = (request, response) => {
    accepted = request.headers['accept-encoding'];
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '9' }).end();
  };
  expect((await http({ method: 'HEAD', url: own() })).content).toMatch(/HTTP 200 OK\ncontent-length: 9\n\n$/);
  expect(accepted).toMatch(/^gzip, deflate, br/);
});

test('cuts a small body that unpacks to much', async () => {
  serveBody(gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'))), { 'content-encoding': 'gzip, gzip' });
  const { content } = await http({ url: own() });
  expect(content).toMatch(/\[cut: only the first 262144 bytes of the body were read\]/);
  expect(content.length).toBeLessThanOrEqual(64 * 1024);
});

test('shows what a damaged encoding still holds, and names an unknown one', async () => {
  const whole = gzipSync(Array.from({ length: 900 }, (_, i) => `word${i * 7919}`).join(' '));
  serveBody(whole.subarray(0, whole.length - 100), { 'content-encoding': 'gzip' });
  expect((await http({ url: own() })).content).toMatch(/gzip encoding is damaged[\s\S]*word0 word7919/);
  serveBody('plain', { 'content-encoding': 'gzip' });
  expect((await http({ url: own() })).content).toMatch(/no valid gzip[\s\S]*binary body of 5 bytes/);
  serveBody('plain', { 'content-encoding': 'compress' });
  expect((await http({ url: own() })).content).toContain('its encoding compress cannot be undone here');
});

test('takes a name in any script and its ASCII form as the same', async () => {
  for (const [allowed, named] of [
    ['bücher.localhost', 'xn--bcher-kva.localhost'],
    ['xn--bcher-kva.localhost', 'BÜCHER.localhost'],
    ['Bücher.Localhost.', 'bücher.localhost.'],
  ] as const) {
    site.context.httpAllow = [`${allowed}:${portOf(server)}`];
    serveBody('arrived');
    const { content } = await http({ url: `http://${named}:${portOf(server)}/` });
    // The name is allowed; this host may know no address for it.
    expect(content).toMatch(/\(bücher\.localhost\)[\s\S]*arrived|has no address/);
  }
  site.context.httpAllow = ['bücher.example', 'bücher.example:8080', '[0:0:0:0:0:0:0:1]:81'];
  const refusalOf = async (url: string): Promise<string> => (await http({ url })).content;
  expect(await refusalOf('http://bucher.example/')).toContain('bucher.example:80 is not allowed');
  expect(await refusalOf('http://xn--bcher-kva.example:81/')).toContain('bücher.example (xn--bcher-kva.example):81');
  expect(await refusalOf('http://[::1]:82/')).toContain('[::1]:82 is not allowed');
});

test('sends an object as JSON, and keeps a type that is given', async () => {
  handle = (request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => response.end(`${request.headers['content-type']} ${body}`));
  };
  const send = async (input: object): Promise<string> => (await http({ method: 'POST', url: own(), ...input })).content;
  expect(await send({ body: { a: ['é'] } })).toContain('application/json {"a":["é"]}');
  expect(await send({ body: [1], headers: { 'Content-Type': 'application/x' } })).toContain('application/x [1]');
  expect(await send({ body: 'a=1' })).toContain('undefined a=1');
  expect(await send({ body: 5 })).toContain('expected text, or a JSON object or array');
});

test('follows a redirect whose address is written in UTF-8', async () => {
  handle = (request, response) => {
    if (request.url !== '/') response.end(`at ${request.url}`);
    else request.socket.end(Buffer.from('HTTP/1.1 302 Found\r\nlocation: /grün\r\ncontent-length: 0\r\n\r\n'));
  };
  expect((await http({ url: own() })).content).toContain('at /gr%C3%BCn');
});

test.each<[string, Handler]>([
  ['nothing comes', () => {}],
  ['the body stalls', (_request, response) => void response.write('some')],
])('gives up at its deadline when %s', async (_what, stall) => {
  handle = stall;
  const refused = createHttpTool(200).run({ method: 'GET', url: own() }, site.context);
  await expect(refused).rejects.toThrow('no whole answer within 0.2 s');
});

test('says what broke when the other side hangs up, is not there, or speaks no TLS', async () => {
  handle = (request) => request.socket.destroy();
  expect((await http({ url: own() })).content).toMatch(/cannot be reached or broke off: E/);
  handle = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.destroy());
  };
  expect((await http({ url: own() })).isError).toBe(true);
  expect((await http({ url: own().replace('http:', 'https:') })).isError).toBe(true);
  site.context.httpAllow = ['127.0.0.1:9'];
  expect((await http({ url: 'http://127.0.0.1:9/' })).content).toContain('ECONNREFUSED');
});

test('throws the reason when the task is aborted while it waits', async () => {
  const stop = new AbortController();
  site.context.signal = stop.signal;
  const reason = new Error('cancelled');
  handle = () => stop.abort(reason);
  await expect(http({ url: own() })).rejects.toBe(reason);
});

test('is not offered without a list', async () => {
  const none = await createToolWorkspace();
  expect((await none.use('http', { method: 'GET', url: own() })).content).toContain('no such tool');
});
