import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { expect, it } from 'vitest';
import { toMessage } from '../../../src/errors.ts';
import { connectRedis } from '../../../src/redis/connect.ts';
import { useFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();
const folder = useFolder();

/** What a producer, and a worker where it does not wait, are told. */
async function failure(url: string, role: 'producer' | 'worker' = 'producer'): Promise<string> {
  const opened = await connectRedis(url, { role, signal: AbortSignal.timeout(5_000) }).catch((error: Error) => error);
  if (!(opened instanceof Error)) opened.disconnect();
  expect(opened).toMatchObject({ name: 'RedisUnusableError' });
  return toMessage(opened);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  test.cleanup(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A self-made certificate. */
function makeCertificate(name: string): { cert: string; key: string } {
  const files = { cert: join(folder.path, `${name}.pem`), key: join(folder.path, `${name}.key`) };
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  execFileSync(
    'openssl',
    [...args.split(' '), '-addext', `subjectAltName=DNS:${name}`, '-keyout', files.key, '-out', files.cert],
    {
      stdio: 'ignore',
    },
  );
  return files;
}

const at = (url: string, part: string): string => url.replace('redis://', `redis://${part}@`);

it('names a wrong password, and a missing one, for a producer and for a worker', async () => {
  await test.redis.call('ACL', 'SETUSER', 'known', 'on', '>right-password-1', '~*', '+@all');
  const { db } = test;
  test.cleanup(() => db.redis.call('ACL', 'DELUSER', 'known'));
  for (const role of ['producer', 'worker'] as const) {
    const told = await failure(at(test.url, 'known:not-the-password'), role);
    expect(told).toMatch(/refuses the login of REDIS_URL: wrong user or password.*%23/);
    expect(told).not.toContain('not-the-password');
  }
  await test.redis.call('ACL', 'SETUSER', 'default', 'off');
  test.cleanup(() => db.redis.call('ACL', 'SETUSER', 'default', 'on'));
  expect(await failure(test.url, 'worker')).toMatch(/it wants a password, and REDIS_URL has none/);
});

it('names a missing right, with the rights that are enough', async () => {
  await test.redis.call('ACL', 'SETUSER', 'little', 'on', '>right-password-1', '~*', '+@all', '-info');
  test.cleanup(() => test.redis.call('ACL', 'DELUSER', 'little'));
  const redis = await connectRedis(at(test.url, 'little:right-password-1'), { role: 'producer' });
  test.cleanup(() => redis.disconnect());
  const { toRedisError } = await import('../../../src/redis/errors/redis-errors.ts');
  const refused = await redis.info().catch((error: unknown) => toRedisError(error, test.url));
  expect(toMessage(refused)).toMatch(
    /refuses the user of REDIS_URL a right.*'info'.*ACL SETUSER <user> ~\* &\* \+@all -@dangerous \+info/,
  );
});

it('refuses a database that does not exist, instead of using database 0', async () => {
  for (const role of ['producer', 'worker'] as const) {
    expect(await failure(`${test.url}/99`, role)).toMatch(/has no database 99: correct the number at the end/);
  }
});

it('names a server that is no Redis, one that speaks TLS, and one that speaks none', async () => {
  const web = await listen(createHttpServer((_request, response) => response.end('hello')));
  expect(await failure(`redis://127.0.0.1:${web}`, 'worker')).toMatch(/is no Redis \(a web server\?\)/);
  expect(await failure(`rediss://127.0.0.1:${web}`)).toMatch(/speaks no TLS: write redis:\/\/ instead/);
  expect(await failure(test.url.replace('redis:', 'rediss:'))).toMatch(/or it speaks no TLS: then write redis:\/\//);
  const files = makeCertificate('localhost');
  const server = createTlsServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
  server.on('tlsClientError', () => undefined);
  expect(await failure(`redis://127.0.0.1:${await listen(server)}`)).toMatch(/TLS/);
});

it('names what is wrong with a certificate, and takes the file that makes it right', async () => {
  const files = makeCertificate('localhost');
  const server = createTlsServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) }, (socket) => {
    const redis = createConnection(test.port);
    socket.pipe(redis).pipe(socket);
    for (const end of [socket, redis]) end.on('error', () => undefined);
    socket.on('close', () => redis.destroy());
  });
  server.on('tlsClientError', () => undefined);
  const port = await listen(server);
  expect(await failure(`rediss://localhost:${port}`)).toMatch(/does not trust the certificate.*\?ca=\/path\/ca\.pem/);
  expect(await failure(`rediss://127.0.0.1:${port}?ca=${files.cert}`)).toMatch(/is not for the name 127\.0\.0\.1/);
  expect(await failure(`rediss://localhost:${port}?ca=${folder.path}/none.pem`)).toMatch(/none\.pem cannot be read/);
  const redis = await connectRedis(`rediss://localhost:${port}?ca=${files.cert}`, { role: 'producer' });
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
});

it('names an unknown host, a server that never answers, and one that closes each connection', async () => {
  expect(await failure('redis://no-such-host.invalid:6379')).toMatch(
    /there is no host of the name no-such-host\.invalid|DNS does not answer/,
  );
  const mute = createServer();
  expect(await failure(`redis://127.0.0.1:${await listen(mute)}`)).toMatch(/takes connections, but does not answer/);
  const closing = createServer((socket) => socket.destroy());
  expect(await failure(`redis://127.0.0.1:${await listen(closing)}`)).toMatch(
    /closes each connection; it may want TLS/,
  );
});

it('names a plain server where Sentinels or a cluster should be, and waits for neither', async () => {
  const host = new URL(test.url).host;
  for (const role of ['producer', 'worker'] as const) {
    expect(await failure(`redis+sentinel://${host}/fleet`, role)).toMatch(/is no Sentinel: name the Sentinels/);
    expect(await failure(`redis+cluster://${host}#acme`, role)).toMatch(
      /is no node of a Redis Cluster: write redis:\/\/ instead/,
    );
  }
});

it('names a master that the Sentinels do not know', async () => {
  const knowsNone = createServer((socket) =>
    socket.on('data', (commands) => {
      const count = commands.toString().match(/^\*\d+\r$/gm)?.length ?? 0;
      socket.write('*-1\r\n'.repeat(count));
    }),
  );
  const port = await listen(knowsNone);
  expect(await failure(`redis+sentinel://127.0.0.1:${port}/nobody`)).toMatch(
    /the Sentinels at 127\.0\.0\.1:\d+ know no master of the name nobody: correct the name/,
  );
});
