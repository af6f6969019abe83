import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import type { Logger } from '../../src/process/logger.ts';
import { createBoardRules, type BoardRulesOptions } from './board-rules.ts';
import { startOf } from '../../src/text/start-of.ts';

const NAME_LENGTH = 60;

const DESCRIPTIONS: Record<QueueName, string> = {
  tasks: 'Units of work for the Haiku workers',
  archive: 'Questions to the archive, answered by librarians',
  missions: 'Goals for the coordinator',
};

/**
 * Creates Bull Board for all queues of the registry.
 * @param prefix of the proxy: all links begin with it
 * @param path at which the caller mounts the handler
 * @param options.readOnly it shows no button that changes something; default false
 */
export function createBoard(
  prefix: string,
  path: string,
  options: BoardRulesOptions & { log: Logger; readOnly?: boolean },
): RequestHandler {
  const { log, queues, readOnly = false } = options;
  const adapter = new ExpressAdapter();
  adapter.setBasePath(prefix + path);
  createBullBoard({
    serverAdapter: adapter,
    queues: Object.values(queueRegistry).map((definition) => {
      const settings = {
        readOnlyMode: readOnly,
        allowCompletedRetries: false, // missing in the adapter's types
        description: DESCRIPTIONS[definition.name],
        jobDataSchema: z.toJSONSchema(definition.data, { io: 'input', unrepresentable: 'any' }),
      };
      const shown = new BullMQAdapter(queues[definition.name], settings);
      shown.setFormatter('name', (job: unknown) => toName(job));
      return shown;
    }),
    options: {
      handlerHooks: createBoardRules(options),
      uiConfig: {
        boardTitle: 'Raw queues',
        boardLogo: { path: `${prefix}/assets/icon.svg`, width: 24, height: 24 },
        favIcon: { default: `${prefix}/assets/icon.svg`, alternative: `${prefix}/assets/icon.svg` },
        hideDocsLink: true,
      },
    },
  });
  // Bull Board's own handler would send any error message to the page, and a message may quote a payload.
  adapter.setErrorHandler((error) => {
    log.warn({ error }, 'dashboard: Bull Board request failed');
    return {
      status: 500,
      body: {
        error: { key: 'ERRORS.INTERNAL_SERVER_ERROR' },
        message: 'the request failed; the dashboard log says why',
      },
    };
  });
  return adapter.getRouter() as RequestHandler;
}

/** Returns the beginning of a job's description, question or goal, by which a person recognises the job. */
function toName(job: unknown): string {
  const { name = '', data } = job as { name?: string; data?: Record<string, unknown> | null };
  const text = [data?.['description'], data?.['question'], data?.['goal']].find((value) => typeof value === 'string');
  const line = startOf(text?.replaceAll(/\s+/g, ' ').trim() ?? '', NAME_LENGTH);
  return line === '' ? name || '(no name)' : line;
}
