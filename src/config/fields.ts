import { isIP } from 'node:net';
import { z } from 'zod';

/** Fields of the environment's schema. Each parses a text, and its message names the rule and the value. */

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A number within a range. */
export const number = (low: number, high: number, kind: 'whole number' | 'number' = 'number') =>
  z.string().transform((text, context) => {
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    const fits = value >= low && value <= high && (kind === 'number' || Number.isInteger(value));
    if (fits) return value;
    const hint = kind === 'number' && Number.isNaN(value) && /\p{N}/u.test(text) ? '; write it like 1.50' : '';
    context.addIssue({ code: 'custom', message: `expected a ${kind} ${low}..${high}, got ${shown(text)}${hint}` });
    return z.NEVER;
  });

/** A whole number within a range. */
export const int = (low: number, high: number) => number(low, high, 'whole number');

/** One of the given words. */
export const oneOf = <const Choice extends string>(first: Choice, ...others: Choice[]) => {
  const choices = [first, ...others];
  const words = choices.length === 1 ? first : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return z.enum(choices, { error: (issue) => `expected ${words}, got ${shown(issue.input)}` });
};

/** Any text but none. */
export const word = z.string().min(1, { error: 'expected a value, got nothing' });

/** A provider's key. A character that no HTTP header can carry would fail each call; the message names it, and not the key. */
export const secret = word.superRefine((key, context) => {
  const wrong = /[^!-~]/u.exec(key);
  if (wrong === null) return;
  const code = wrong[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  const message = `expected ASCII letters, digits and signs, got U+${code} as character ${wrong.index + 1}; copy the key again`;
  context.addIssue({ code: 'custom', message });
});

/** An address with one of the protocols; its message does not show the value, which may contain a password. */
export const url = (protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `expected an address starting with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** Headers as OpenTelemetry writes them: `name=value`, separated by commas, values encoded as in an address. Its message shows no value. */
export const headers = z
  .string()
  .default('')
  .transform((text, context) => {
    const found: Record<string, string> = {};
    for (const item of text.split(',').filter((part) => part.trim() !== '')) {
      const [, name = '', value = ''] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*(.*?)\s*$/.exec(item) ?? [];
      const decoded = /%(?![0-9A-Fa-f]{2})/.test(value) ? null : decodeURIComponent(value);
      if (name !== '' && decoded !== null && /^[\t -~]*$/.test(decoded)) found[name] = decoded;
      else
        context.addIssue({
          code: 'custom',
          message: 'expected name=value, separated by commas, values encoded as in an address',
        });
    }
    return found;
  });

/** Items separated by commas, trimmed, without empty ones. */
export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** Relative paths, `node_modules,packages/a/node_modules`: within a folder, and no part of git or file of secrets. */
export const insidePaths = list.transform((items, context) => {
  for (const item of items) {
    const parts = item.split('/');
    const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}]/u.test(part));
    const isSecret = parts.some((part) => /^\.(git|env)/i.test(part));
    if (isInside && !isSecret) continue;
    const rule = isSecret ? 'expected no part of git and no .env file' : 'expected a relative path like node_modules';
    context.addIssue({ code: 'custom', message: `${rule}, got ${shown(item)}` });
  }
  return items;
});

/** Names of programs, separated by commas, each once. */
export const programs = list.transform((items, context) => {
  for (const item of items) {
    const problem = findProgramProblem(item);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  }
  return [...new Set(items)];
});

/** Hosts, `api.example.org,10.0.0.7:8080`, in lower case, without a final dot, each once. */
export const hosts = list.transform((items, context) => {
  const found = items.map((item) => toBareHost(item));
  for (const item of found) {
    const problem = findHostProblem(item);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  }
  return [...new Set(found)];
});

/** The one name or number that a server listens on, without a port. */
export const listenHost = z.string().transform((text, context) => {
  const host = toBareHost(text).replace(/^\[(.*)\]$/, '$1');
  const problem = isIP(host) === 0 ? findListenProblem(host) : null;
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  return host;
});

function findProgramProblem(item: string): string | null {
  if (/[*?]/.test(item)) return `expected each program by its name: there is no wildcard, got ${shown(item)}`;
  if (/\s/.test(item)) {
    return `expected names separated by commas, got ${shown(item)}; a program that is named may have any arguments`;
  }
  if (/[/\\]/.test(item)) {
    const name = item.split(/[/\\]/).findLast((part) => part !== '');
    return `expected the name of a program that PATH finds, not a path, got ${shown(item)}; write ${name ?? 'its name'}`;
  }
  return /^(?:\.*|-.*)$/.test(item) ? `expected the name of a program, got ${shown(item)}` : null;
}

function findHostProblem(item: string): string | null {
  if (item.includes('*')) return `expected each host by its name: there is no wildcard, got ${shown(item)}`;
  if (item.includes('@')) return 'expected a host without a user or password'; // not shown: it may hold a password
  if (item.includes('://')) {
    const host = URL.canParse(item) ? `; write ${new URL(item).host}` : '';
    return `expected a host or host:port, not a whole address, got ${shown(item)}${host}`;
  }
  if (/\s/.test(item)) return `expected hosts separated by commas, got ${shown(item)}`;
  if (/[/?#\\]/.test(item)) {
    return `expected a host without a path, got ${shown(item)}: the tool reaches all paths of a host`;
  }
  const port = /^(?:\[[^\]]*\]|[^[:]*):([^:]*)$/.exec(item)?.[1];
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    return `expected a port 1..65535 after the colon, got ${shown(item)}`;
  }
  const address = `http://${isIP(item) === 6 ? `[${item}]` : item}`;
  return URL.canParse(address) ? null : `expected a host or host:port, got ${shown(item)}`;
}

function findListenProblem(host: string): string | null {
  if (host.includes('*')) return `expected 0.0.0.0 for every address of this machine, got ${shown(host)}`;
  if (host.includes('@')) return 'expected a host without a user or password'; // not shown: it may hold a password
  if (host.includes('://')) {
    return `expected a host alone, not a whole address, got ${shown(host)}; what a proxy shows belongs in DASHBOARD_PUBLIC_URL`;
  }
  if (/[\s,]/.test(host)) return `expected one host, got ${shown(host)}`;
  if (/[/?#\\]/.test(host)) return `expected a host without a path, got ${shown(host)}`;
  if (/^(?:\[[^\]]*\]|[^[:]*):\d*$/.test(host))
    return `expected a host without a port, which belongs in DASHBOARD_PORT, got ${shown(host)}`;
  if (/^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*$/u.test(host)) return null;
  return `expected a host name or a numeric address, got ${shown(host)}`;
}

function toBareHost(text: string): string {
  const host = text.trim().toLowerCase();
  return host.replace(/(?<=[^.])\.(?=$|:\d+$)/, '');
}

/** A value as messages show it. */
export const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');

/** Invisible marks: a value that was copied from a page or a chat may hold one. */
const UNSEEN = /[^\P{C}\t\n]|[^\P{Z} ]/u;
const QUOTED = /^["'`“”„‘’«»].*["'`“”„‘’«»]$/su;
/** Texts in which any mark, or any quote, can be meant. */
const FREE_TEXT = /^FLEET_(?:WORKSPACES|GIT_AUTHOR|RUN_ENV)$/;
const FREE_QUOTES = /^(?:DASHBOARD_(?:READ_)?PASSWORD|FLEET_NOTIFY)$/;

/** What is wrong with how a value is written, whatever it is for; null: nothing. Never shows the value. */
export function findWritingProblem(name: string, value: string): string | null {
  if (FREE_TEXT.test(name)) return null;
  const unseen = name.includes('_KEY') ? null : UNSEEN.exec(value); // `secret` finds more in keys
  if (unseen !== null) {
    const code = unseen[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    return `expected no invisible character, got U+${code} as character ${unseen.index + 1}; type the value again`;
  }
  if (!FREE_QUOTES.test(name) && QUOTED.test(value)) {
    return 'expected a value without quotes around it; some programs that set variables keep them';
  }
  return null;
}
