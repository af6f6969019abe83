import { ConfigError } from '../../errors.ts';

/**
 * With simulated models, a call must not leave the machine.
 * @param urls addresses by the name of their variable
 * @throws ConfigError for an address of another machine
 */
export function assertLoopback(urls: Record<string, string | undefined>): void {
  const wrong = Object.entries(urls).filter(([, url]) => url !== undefined && !isLoopbackUrl(url));
  if (wrong.length === 0) return;
  const lines = wrong.map(
    ([name]) => `  ${name}: with FLEET_OFFLINE=1 expected an address of this machine (127.0.0.1, localhost), or none`,
  );
  throw new ConfigError(`the environment is wrong:\n${lines.join('\n')}`);
}

export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
