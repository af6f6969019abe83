import { GIT_OPTIONS, isGitCommand, isGitOption, type GitCommand } from './options.ts';
import { ToolRefusal } from '../tool-refusal.ts';

export interface GitArguments {
  command: GitCommand;
  /** In the form `-nVALUE` or `--name=VALUE`, so that git takes no value for an option. */
  options: string[];
  /** The words before `--`, in order: revisions, paths or names, depending on the command. */
  words: string[];
  /** The words after `--`. Null: there is no `--`. */
  paths: string[] | null;
}

/** @throws ToolRefusal for a command or option that is not allowed; the message names the allowed ones */
export function parseGitArguments(args: readonly string[]): GitArguments {
  const [command = '', ...rest] = args;
  if (!isGitCommand(command)) {
    throw new ToolRefusal(
      `git: expected one of ${Object.keys(GIT_OPTIONS).join(', ')} as the first argument, got ${JSON.stringify(command)}`,
    );
  }
  const split = rest.indexOf('--');
  const queue = split < 0 ? rest : rest.slice(0, split);
  const parsed: GitArguments = { command, options: [], words: [], paths: split < 0 ? null : rest.slice(split + 1) };
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg.includes('\0')) throw new ToolRefusal('git: an argument may not contain a NUL byte');
    if (!arg.startsWith('-') || arg === '-') parsed.words.push(arg);
    else if (/^-\d+$/.test(arg) && command === 'log') parsed.options.push(arg);
    else if (arg.startsWith('--')) parsed.options.push(readLong(command, arg, queue));
    else parsed.options.push(...readShort(command, arg, queue));
  }
  return parsed;
}

function readLong(command: GitCommand, arg: string, queue: string[]): string {
  const equals = arg.indexOf('=');
  const hasValue = equals >= 0;
  const name = hasValue ? arg.slice(0, equals) : arg;
  if (isGitOption(command, `${name}=`)) return hasValue ? arg : `${name}=${takeValue(command, name, queue)}`;
  if (isGitOption(command, `${name}?`) || (!hasValue && isGitOption(command, name))) return arg;
  throw refused(command, name);
}

/** Splits letters in one argument (`-am`). The first that needs a value takes the rest, or else the next argument. */
function readShort(command: GitCommand, arg: string, queue: string[]): string[] {
  const options: string[] = [];
  for (let i = 1; i < arg.length; i += 1) {
    const name = `-${arg[i]}`;
    if (isGitOption(command, `${name}=`)) {
      return [...options, name + (arg.slice(i + 1) || takeValue(command, name, queue))];
    }
    if (!isGitOption(command, name)) throw refused(command, name);
    options.push(name);
  }
  return options;
}

function takeValue(command: GitCommand, name: string, queue: string[]): string {
  const value = queue.shift();
  if (value === undefined || value === '') throw new ToolRefusal(`git ${command}: ${name} needs a value`);
  return value;
}

function refused(command: GitCommand, name: string): ToolRefusal {
  const allowed = GIT_OPTIONS[command].replaceAll(/[=?](?= |$)/g, '');
  return new ToolRefusal(`git ${command}: option ${name} is not allowed here; allowed: ${allowed}`);
}
