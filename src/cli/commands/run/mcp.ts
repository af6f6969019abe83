import { configSecrets } from '../../../config/redact.ts';
import { RedisUnusableError } from '../../../errors.ts';
import { createSessionOpener } from '../../../mcp/open-session.ts';
import { serveStdio } from '../../../mcp/stdio.ts';
import { createLogger } from '../../../process/logger.ts';
import { readConfig } from '../../input/read-config.ts';

/** Does `fleet mcp`. */
export async function runMcpCommand(): Promise<void> {
  console.log = console.error; // the standard output carries the protocol alone
  const config = readConfig();
  const log = createLogger('mcp', config.FLEET_LOG_LEVEL, {
    secrets: configSecrets(config),
    write: (line) => void process.stderr.write(line),
  });
  const sessions = createSessionOpener(config, log);
  try {
    await serveStdio({ role: await readRole(sessions, log), open: () => sessions.open(), log });
  } finally {
    await sessions.close();
  }
}

/** While Redis is away all tools are listed; each call tries to connect, and says what is wrong. */
async function readRole(sessions: ReturnType<typeof createSessionOpener>, log: ReturnType<typeof createLogger>) {
  try {
    return (await sessions.open()).role;
  } catch (error) {
    if (!(error instanceof RedisUnusableError)) throw error;
    log.warn({ error }, 'mcp: Redis cannot be used; each call tries again');
    return 'operate';
  }
}
