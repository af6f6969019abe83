import type { Queue } from 'bullmq';
import type { QueueName } from '../queues/registry.ts';
import type { Config } from '../src/config/environment.ts';
import type { Logger } from '../src/process/logger.ts';
import type { McpHttp } from '../src/mcp/http.ts';
import type { OtherSwarms } from '../src/other-swarms/types.ts';
import type { Db } from '../src/redis/db.ts';
import type { Turns } from './patches/turns.ts';

/** What the dashboard needs. */
export interface DashboardParts {
  config: Config;
  /** On a connection of `role: 'producer'`: its commands fail at once while Redis is away, so that no page waits. */
  db: Db;
  queues: Record<QueueName, Queue>;
  /** The other swarms whose findings it shows. */
  others: OtherSwarms;
  log: Logger;
  /** Answers MCP clients. */
  mcp: McpHttp;
  /** The changes that pages make in workspaces: a process that ends waits for them. */
  changes: Turns;
}
