import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../../../config/environment.ts';
import { FleetError, toMessage, UsageError } from '../../../errors.ts';
import { readJsonFile } from '../../input/files.ts';
import { readConfig } from '../../input/read-config.ts';
import { writeAtomically } from '../../../files/atomic-write.ts';

export interface McpInstallOptions {
  http?: boolean;
  write?: boolean;
  project?: boolean;
}

/** Name of the server in the client. */
const NAME = 'fleet';
/** Claude Code's file of servers that a team shares. It puts in variables of the shell: `${NAME}`. */
const SHARED = '.mcp.json';

/** Does `fleet mcp install`. */
export async function runMcpInstallCommand(options: McpInstallOptions): Promise<void> {
  if (options.write === true && options.project === true) {
    throw new UsageError(`mcp install: expected --write (Claude Code’s own list) or --project (${SHARED}), not both`);
  }
  const config = readConfig();
  if (options.project === true) return writeShared(toServer(config, options));
  const token = config.FLEET_TOKEN;
  if (options.write !== true) return printLine(config, options);
  if (options.http === true && token === undefined) {
    throw new UsageError(
      'mcp install: --http needs a token in FLEET_TOKEN; fleet token add NAME --role delegate --budget USD prints one',
    );
  }
  await runClaude(toArguments(config, options, token ?? ''));
}

function printLine(config: Config, options: McpInstallOptions): void {
  const args = toArguments(config, options, '$FLEET_TOKEN').map((arg) => (/[\s"$]/.test(arg) ? `"${arg}"` : arg));
  console.log(`claude ${args.join(' ')}`);
  if (options.http === true) console.error('FLEET_TOKEN: fleet token add NAME --role delegate --budget USD prints one');
}

/** The arguments of `claude` that add the server: https://code.claude.com/docs/en/mcp */
function toArguments(config: Config, { http }: McpInstallOptions, token: string): string[] {
  const add = ['mcp', 'add', '--scope', 'user'];
  if (http === true) {
    return [...add, '--transport', 'http', NAME, toUrl(config), '--header', `Authorization: Bearer ${token}`];
  }
  const { FLEET_HOME: home } = process.env;
  return [...add, NAME, ...(home === undefined ? [] : ['--env', `FLEET_HOME=${home}`]), '--', ...toCommand()];
}

/** As `.mcp.json` names a server. */
function toServer(config: Config, { http }: McpInstallOptions): object {
  if (http === true) {
    return { type: 'http', url: toUrl(config), headers: { Authorization: 'Bearer ${FLEET_TOKEN}' } };
  }
  const [command, ...args] = toCommand();
  const { FLEET_HOME: home } = process.env;
  return { command, args, ...(home === undefined ? {} : { env: { FLEET_HOME: home } }) };
}

function toUrl({ DASHBOARD_PUBLIC_URL: shown, DASHBOARD_HOST: host, DASHBOARD_PORT: port }: Config): string {
  const base = shown ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `${base.replace(/\/+$/, '')}/mcp`;
}

/** `fleet` by its name where it is on the PATH; else by its whole path, as an installed package without a link. */
function toCommand(): string[] {
  if (isOnPath('fleet')) return ['fleet', 'mcp'];
  return [process.execPath, resolve(process.argv[1] ?? 'fleet'), 'mcp'];
}

function isOnPath(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  return folders.some((folder) => existsSync(`${folder}/${program}`));
}

/** @throws FleetError if `claude` is not there or refuses */
async function runClaude(args: string[]): Promise<void> {
  if (!isOnPath('claude')) {
    throw new FleetError(
      'mcp install: claude is not on the PATH; run the line where it is (fleet mcp install prints it), or use --project',
    );
  }
  const child = spawn('claude', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await Promise.race([once(child, 'close'), once(child, 'error').then(([error]) => [toMessage(error)])]);
  if (code !== 0) throw new FleetError(`mcp install: claude ended with ${String(code)}; its words are above`);
}

/** Adds the server to the file of this folder; its other servers stay as they are. */
async function writeShared(server: object): Promise<void> {
  const file = existsSync(SHARED) ? readJsonFile('mcp install', SHARED) : {};
  if (!isObject(file) || !isObject(file['mcpServers'] ?? {})) {
    throw new UsageError(`mcp install: ${SHARED} holds no "mcpServers"; expected an object, as Claude Code writes it`);
  }
  const servers = { ...(file['mcpServers'] as object | undefined) } as Record<string, unknown>;
  const known = servers[NAME];
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(server)) {
    throw new UsageError(`mcp install: ${SHARED} has another server of the name ${NAME}; remove or rename it first`);
  }
  const text = `${JSON.stringify({ ...file, mcpServers: { ...servers, [NAME]: server } }, null, 2)}\n`;
  await writeAtomically(SHARED, (write) => write(text));
  console.log(known === undefined ? `Added ${NAME} to ${SHARED}.` : `${SHARED} has ${NAME} already.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
