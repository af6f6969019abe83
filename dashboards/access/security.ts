import type { RequestHandler } from 'express';
import { ConfigError } from '../../src/errors.ts';
import { isLoopback } from './request-checks.ts';

const STRICT =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Bull Board's scripts set styles, and its page has a `<base>`. No web fonts: a page loads nothing from another host. */
const BOARD =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

/** Returns the handler that sets the security headers. @param boardPath path of Bull Board */
export function securityHeaders(boardPath: string): RequestHandler {
  return (request, response, next) => {
    const board = request.path === boardPath || request.path.startsWith(`${boardPath}/`);
    response.set({
      'Content-Security-Policy': board ? BOARD : STRICT,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    });
    // Pages and JSON hold texts of tasks: a browser may cache only assets.
    if (!request.path.includes('/static/') && !request.path.startsWith('/assets/')) {
      response.set('Cache-Control', 'no-store');
    }
    next();
  };
}

/** @throws ConfigError if the network could reach the dashboard without a password, or everyone who may read it could change it */
export function requireSafeAddress(config: {
  DASHBOARD_HOST: string;
  DASHBOARD_PASSWORD?: string | undefined;
  DASHBOARD_READ_PASSWORD?: string | undefined;
}): void {
  const problem = findReaderProblem(config);
  if (problem !== null) throw new ConfigError(`the environment is wrong:\n  DASHBOARD_READ_PASSWORD: ${problem}`);
  if (config.DASHBOARD_PASSWORD !== undefined || isLoopback(config.DASHBOARD_HOST)) return;
  throw new ConfigError(
    `the environment is wrong:\n  DASHBOARD_HOST: expected a loopback address while DASHBOARD_PASSWORD is not set, got ${JSON.stringify(config.DASHBOARD_HOST)}`,
  );
}

function findReaderProblem({
  DASHBOARD_PASSWORD: operate,
  DASHBOARD_READ_PASSWORD: read,
}: {
  DASHBOARD_PASSWORD?: string | undefined;
  DASHBOARD_READ_PASSWORD?: string | undefined;
}): string | null {
  if (read === undefined) return null;
  if (operate === undefined)
    return 'expected DASHBOARD_PASSWORD beside it: without that one everybody may change the fleet';
  return read === operate ? 'expected another password than DASHBOARD_PASSWORD, got the same' : null;
}
