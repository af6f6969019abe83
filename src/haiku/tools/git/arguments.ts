import { GIT_OPTIONS, isGitCommand, isGitOption, type GitCommand } from './options.ts';
import { ToolRefusal } from '../tool-refusal.ts';

export interface GitArguments {
  command: GitCommand;
  /** In the form `-nVALUE` or `--name=VALUE`, so that no value can pass for an option. */
  options: string[];
  /** Before `--`, in order: revisions, paths or names, as the command has it. */
  words: string[];
  /** After `--`; null when there was none. */
  paths: string[] | null;
}

/** @throws ToolRefusal for a command or option that is not allowed, naming those that are */
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
  const at = arg.indexOf('=');
  const name = at < 0 ? arg : arg.slice(0, at);
  if (isGitOption(command, `${name}=`)) return at < 0 ? `${name}=${takeValue(command, name, queue)}` : arg;
  if (isGitOption(command, `${name}?`) || (at < 0 && isGitOption(command, name))) return arg;
  throw refused(command, name);
}

/** Letters in one argument (`-am`): the first that takes a value takes the rest, or the next argument. */
function readShort(command: GitCommand, arg: string, queue: string[]): string[] {
  const options: string[] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const name = `-${arg[at]}`;
    if (isGitOption(command, `${name}=`)) {
      return [...options, name + (arg.slice(at + 1) || takeValue(command, name, queue))];
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
