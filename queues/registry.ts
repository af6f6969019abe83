import { archiveQueue } from './archive.ts';
import { missionsQueue } from './missions.ts';
import { tasksQueue } from './tasks.ts';

/** Every queue of the fleet by name. The dashboard shows these; a name outside this list is a compile error. */
export const queueRegistry = { tasks: tasksQueue, archive: archiveQueue, missions: missionsQueue } as const;

export type QueueName = keyof typeof queueRegistry;

/** The one job name that a queue knows. */
export type QueueJobName<Name extends QueueName> = (typeof queueRegistry)[Name]['jobName'];
