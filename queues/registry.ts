import { archiveQueue } from './archive.ts';
import { missionsQueue } from './missions.ts';
import { tasksQueue } from './tasks.ts';

/** All queues of the fleet by name. The dashboard shows them. A name outside this list does not compile. */
export const queueRegistry = { tasks: tasksQueue, archive: archiveQueue, missions: missionsQueue } as const;

export type QueueName = keyof typeof queueRegistry;

/** The only job name of a queue. */
export type QueueJobName<Name extends QueueName> = (typeof queueRegistry)[Name]['jobName'];
