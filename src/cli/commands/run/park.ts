import { createHaltSwitch } from '../../../halt/halt.ts';
import { parkMission } from '../../../coordinator/control/park.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { printJson } from '../../output/print.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet park`. */
export async function runParkCommand(mission: string, { json }: { json?: boolean }): Promise<void> {
  await withFleet(
    async ({ inner: { db, config, queues } }) => {
      const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
      const halt = createHaltSwitch(db, Object.values(queues), { notifier });
      const parked = await parkMission({ db, queues, halt, notifier }, mission, currentUser());
      await notifier.flush();
      const standing = await halt.read();
      if (json) return printJson({ mission, ...parked, halt: standing });
      const what = parked.again ? 'is parked already' : 'is parked';
      console.log(`Mission ${mission} ${what}: nothing of it is lost; fleet resume ${mission} lets it go on.`);
      if (parked.said !== null) console.log(parked.said);
      if (parked.liftedHalt) console.log('The halt it caused is lifted: everything else goes on.');
      else if (standing !== null) console.log(`⛔ The fleet is halted for another reason: ${standing.reason}`);
    },
    { writesWhenFull: true },
  );
}
