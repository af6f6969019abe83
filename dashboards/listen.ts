import { once } from 'node:events';
import type { Server } from 'node:http';
import { ConfigError } from '../src/errors.ts';

/**
 * Listens on DASHBOARD_HOST and DASHBOARD_PORT (0: a free port).
 * @returns the address for a browser
 * @throws ConfigError if another program has the port, or if the host is no address of this machine
 */
export async function listen(
  server: Server,
  { DASHBOARD_HOST: host, DASHBOARD_PORT: port }: { DASHBOARD_HOST: string; DASHBOARD_PORT: number },
): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw toConfigError(error, host, port);
  }
  const bound = server.address();
  const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${actual}/`;
}

function toConfigError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new ConfigError(
      `DASHBOARD_PORT: port ${port} on ${host} is taken by another program; choose another or stop that one`,
      { cause: error },
    );
  }
  if (code === 'EACCES')
    return new ConfigError(`DASHBOARD_PORT: this user may not listen on port ${port}; choose one above 1023`, {
      cause: error,
    });
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new ConfigError(`DASHBOARD_HOST: ${JSON.stringify(host)} is not an address of this machine`, {
      cause: error,
    });
  }
  return error;
}
