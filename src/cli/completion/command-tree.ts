import type { Argument, Command, Option } from 'commander';
import { JOB_STATES } from '../../jobs/find/types.ts';

/** What a value is completed with. `none`: only the person knows it. */
type ValueKind = 'choices' | 'files' | 'none';

export interface OptionNode {
  /** `--batch`, and `-h` where it has a short form. */
  flags: string[];
  description: string;
  /** Null: it takes no value. */
  value: { kind: ValueKind; choices: string[] } | null;
}

/** One command as completion needs it. */
export interface CommandNode {
  /** Its names after `fleet`, with spaces; empty: `fleet` itself. */
  place: string;
  /** The commands below it, and the words that lead to one. `place`: where the word leads; null: it is an argument. */
  words: { name: string; description: string; place: string | null }[];
  options: OptionNode[];
  takesFiles: boolean;
}

/** First words of an argument that are verbs; commander knows them as text. */
const VERBS: Readonly<Record<string, readonly string[]>> = { mission: ['ls', 'run'] };
/** Choices of options that take several, with commas: commander knows them as text. The first is completed. */
const LISTS: Readonly<Record<string, readonly string[]>> = { 'jobs --state': JOB_STATES };
/** Names of values and arguments that are paths. */
const PATHS = /^(file|path|folder)$/;

/** The command and all below it, the outer ones first. */
export function readCommandTree(command: Command, place = ''): CommandNode[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const inner = (name: string): string => (place === '' ? name : `${place} ${name}`);
  const below = commands.filter((sub) => sub.name() !== 'help');
  const words = below.flatMap((sub) =>
    [sub.name(), ...sub.aliases()].map((name) => ({ name, description: sub.description(), place: inner(sub.name()) })),
  );
  const node: CommandNode = {
    place,
    words: [...words, ...toArguments(command)],
    options: help.visibleOptions(command).map((option) => toOption(option, place)),
    takesFiles: command.registeredArguments.some((argument) => PATHS.test(argument.name())),
  };
  return [node, ...below.flatMap((sub) => readCommandTree(sub, inner(sub.name())))];
}

function toArguments(command: Command): CommandNode['words'] {
  const choices = command.registeredArguments.flatMap((argument: Argument) => argument.argChoices ?? []);
  const names = [...choices, ...(VERBS[command.name()] ?? [])];
  return names.map((name) => ({ name, description: '', place: null }));
}

function toOption(option: Option, place: string): OptionNode {
  const flags = [option.short, option.long].filter((flag) => typeof flag === 'string');
  const [, name] = /[<[]([\w-]+)(?:\.\.\.)?[>\]]/.exec(option.flags) ?? [];
  if (name === undefined) return { flags, description: option.description, value: null };
  const choices = [...(option.argChoices ?? LISTS[`${place} ${option.long}`] ?? [])];
  const kind = choices.length > 0 ? 'choices' : PATHS.test(name) ? 'files' : 'none';
  return { flags, description: option.description, value: { kind, choices } };
}
