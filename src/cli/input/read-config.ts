import { loadConfig, type Config } from '../../config/environment.ts';
import { describeNotes } from '../../config/source/notes.ts';

let isTold = false;

/** Reads the configuration of a command, and prints once, on the error output, what a person should look at. */
export function readConfig(): Config {
  const config = loadConfig(process.env);
  if (!isTold) for (const line of describeNotes(config.notes)) console.error(`⚠️  ${line}`);
  isTold = true;
  return config;
}
