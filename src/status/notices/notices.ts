import type { Notice, StatusSnapshot } from '../types.ts';
import {
  pausedQueues,
  unattendedQueues,
  outsideWorkers,
  waitingJobs,
  failures,
  cancelledJobs,
  blockedParents,
  schedulers,
  rules,
  oldTasks,
  waitingPatches,
} from './queues.ts';
import { parkedByBudget, parkedByPerson, tightClients } from './parked.ts';
import { uncertainCost, dayBudget, externalCost } from './money.ts';
import {
  refusedSwarms,
  keyConflicts,
  fullArchive,
  manyTrees,
  foreignKeys,
  unreadableFindings,
  oldWorkers,
  wrongClocks,
  counted,
  coolingModels,
} from './swarm.ts';

/** The notices for an operator, in the order in which they are shown. */
export function noticesOf(snapshot: StatusSnapshot): Notice[] {
  return [
    ...pausedQueues(snapshot),
    ...unattendedQueues(snapshot),
    ...outsideWorkers(snapshot),
    ...parkedByBudget(snapshot),
    ...parkedByPerson(snapshot),
    ...tightClients(snapshot),
    ...waitingJobs(snapshot),
    ...failures(snapshot),
    ...cancelledJobs(snapshot),
    ...blockedParents(snapshot),
    ...schedulers(snapshot),
    ...waitingPatches(snapshot),
    ...rules(snapshot),
    ...oldTasks(snapshot),
    ...keyConflicts(snapshot),
    ...coolingModels(snapshot),
    ...fullArchive(snapshot),
    ...manyTrees(snapshot),
    ...foreignKeys(snapshot),
    ...unreadableFindings(snapshot),
    ...oldWorkers(snapshot),
    ...wrongClocks(snapshot),
    ...refusedSwarms(snapshot),
    ...counted(snapshot),
    ...uncertainCost(snapshot),
    ...dayBudget(snapshot),
    ...externalCost(snapshot),
  ];
}
