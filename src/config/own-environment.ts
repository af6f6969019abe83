import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { platform } from 'node:os';

/** Variables with secrets of the fleet. No child gets them. */
const SECRET =
  /^(?:ANTHROPIC_API_KEY|ANTHROPIC_ADMIN_KEY|GEMINI_API_KEY(?:_SHARD\d+)?|DEEPSEEK_API_KEY|OPENAI_API_KEY|MISTRAL_API_KEY|OPENROUTER_API_KEY|DASHBOARD_(?:READ_)?PASSWORD|FLEET_TOKEN|REDIS_URL|FLEET_PEER_[A-Z0-9_]+|FLEET_NOTIFY|OTEL_EXPORTER_OTLP_HEADERS)$/;

/** Variables that rows of `models.json` name as holders of keys. */
const keyNames = new Set<string>();

/** Makes variables secrets of this process, whatever else uses them: a row of `models.json` names them. */
export function addSecretNames(names: Iterable<string>): void {
  for (const name of names) keyNames.add(name);
}

/** Whether a variable of this name is a secret of the fleet. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name) || keyNames.has(name);
}

/** A copy of an environment without the fleet's secrets. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isSecretName(name)));
}

/** Drops the fleet's secrets from this process' variables: nothing reads them after the configuration. */
export function forgetSecrets(): void {
  for (const name of Object.keys(process.env)) if (isSecretName(name)) delete process.env[name];
}

/** Runs work that starts a process which must not get the fleet's secrets, and which no environment can be given to. */
export async function withoutSecretsMeanwhile<T>(work: () => Promise<T>): Promise<T> {
  const secrets = Object.entries(process.env).filter(([name]) => isSecretName(name));
  forgetSecrets();
  try {
    return await work();
  } finally {
    Object.assign(process.env, Object.fromEntries(secrets));
  }
}

/**
 * Empties what `/proc/<pid>/environ` shows of this process to all programs of its user, those of the tool `run` included: the
 * kernel shows the memory in which the process was started, whatever it deletes later. `process.env` stays as it is. The
 * memory is found by `/proc/self/stat` (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
 * @returns false where this cannot be done: on another system than Linux, or without `/proc`
 */
export function hideOwnEnvironment(): boolean {
  if (platform() !== 'linux') return false;
  try {
    const variables = { ...process.env };
    // The C library copies what is set, so that no variable lies in the memory that is emptied.
    Object.assign(process.env, variables);
    const isEmptied = emptyValues(findEnvironment());
    for (const [name, value] of Object.entries(variables)) if (process.env[name] !== value) process.env[name] = value;
    return isEmptied;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // a system without these files, or that refuses them
    throw error;
  }
}

interface Memory {
  address: number;
  length: number;
}

function findEnvironment(): Memory {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third field on
  const [address = 0, end = 0] = [fields[50 - 3], fields[51 - 3]].map(Number);
  return { address, length: end - address };
}

/** @returns false if the memory does not hold the environment: then nothing is written */
function emptyValues({ address, length }: Memory): boolean {
  const shown = readFileSync('/proc/self/environ');
  if (address <= 0 || !Number.isSafeInteger(address) || length !== shown.length) return false;
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    const bytes = Buffer.alloc(length);
    readSync(memory, bytes, 0, length, address);
    if (!bytes.equals(shown)) return false;
    writeSync(memory, withEmptyValues(bytes), 0, length, address);
    return true;
  } finally {
    closeSync(memory);
  }
}

/** Keeps names, and values that `process.env` cannot hold (no UTF-8): these were not copied. */
function withEmptyValues(bytes: Buffer): Buffer {
  const emptied = Buffer.from(bytes);
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    const next = end === -1 ? bytes.length : end;
    const value = bytes.indexOf('=', from) + 1;
    if (value > from && isUtf8(bytes.subarray(from, next))) {
      emptied.fill(0, value, next);
    }
    from = next + 1;
  }
  return emptied;
}
