import { UsageError } from '../../errors.ts';

/**
 * Refuses options of the parent command, which commander accepts after a subcommand, too: they would be ignored.
 * @param command for the message
 * @throws UsageError naming the option
 */
export function assertOnly(command: string, options: object, known: readonly string[]): void {
  const wrong = Object.keys(options).find((name) => !known.includes(name));
  if (wrong === undefined) return;
  const flag = wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`${command}: --${flag} has no meaning here; fleet ${command} --help shows its options`);
}
